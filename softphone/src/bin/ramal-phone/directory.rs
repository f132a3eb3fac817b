//! Who else is registered, when a person asks.

use std::time::Duration;

use codec::registry::{Entry, Method, PAGE_MAX, Page, Prefix, Presence, Success};
use registry::client::{Access, AskError, Client, Host};

/// How long the registry may take for each answer.
const WITHIN: Duration = Duration::from_secs(5);

/// The first names of the directory, or why there are none, in a sentence.
pub async fn first_page(access: Access, registry: Host) -> String {
    match asked(&access, &registry).await {
        Ok(page) => sentence(&registry, &page),
        Err(error) => format!("cannot list who is registered: {error}"),
    }
}

async fn asked(access: &Access, registry: &Host) -> Result<Option<Page>, AskError> {
    let mut client = Client::connect(access, registry, WITHIN).await?;
    let list = Method::List {
        prefix: Prefix::default(),
        after: None,
        limit: u8::try_from(PAGE_MAX).unwrap_or(u8::MAX),
    };
    Ok(match client.ask(list, WITHIN).await? {
        Success::Page(page) => Some(page),
        _ => None,
    })
}

fn sentence(registry: &Host, page: &Option<Page>) -> String {
    let Some(page) = page else {
        return format!("{registry} does not tell who is registered");
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
