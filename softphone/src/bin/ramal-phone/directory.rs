//! Who else is registered, in a sentence.

use codec::registry::{Entry, Page, Presence, Refusal};
use registry::client::Host;

/// The first names of the directory, or why there are none.
pub fn sentence(registry: &Host, page: &Result<Page, Refusal>) -> String {
    let page = match page {
        Ok(page) => page,
        Err(Refusal::Closed) => {
            return format!(
                "{registry} tells nobody who is registered; call somebody whose name you know"
            );
        }
        Err(refusal) => return format!("{registry} does not list who is registered: {refusal}"),
    };
    let said = |entry: &Entry| match entry.presence {
        Presence::Busy => format!("{} (busy)", entry.name),
        Presence::Away => format!("{} (away)", entry.name),
        _ => entry.name.to_string(),
    };
    let names: Vec<String> = page.entries.iter().map(said).collect();
    let names = match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    };
    let more = if page.more { ", and more" } else { "" };
    format!("registered at {registry}: {names}{more}")
}
