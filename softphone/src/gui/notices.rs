//! Banners above every screen: what is wrong beside the calls, until it is over or was read.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use codec::{Name, registry::ClosingReason};
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed_fl::fl;
use iced::widget::column;
use look::{Element, Icon, Kind, button, space};
use registry::client::Host;

use super::{
    Cx,
    trouble::{self, Trouble},
};
use crate::{
    engine,
    phone::{self, Why},
};

/// How many warnings are kept; the oldest gives way.
const WARNINGS_MAX: usize = 3;

/// What is to be known beside the calls.
#[derive(Debug, Default)]
pub struct Notices {
    trouble: Option<Trouble>,
    /// A registry may be somebody else, which a later failure to reach it does not hide.
    distrust: bool,
    /// The registry that was met for the first time, and the fingerprint of its key.
    met: Option<(Host, String)>,
    broke_off: bool,
    damaged: Option<PathBuf>,
    warnings: VecDeque<String>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// To sign in anew, which finds out what is wrong with the registry or the name.
    SignInPressed,
    /// To find out what came of a change of identity.
    FindOutPressed,
    /// A notice was read.
    Read(Notice),
}

/// Which one was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// That a registry was met.
    Met,
    /// That what was set was damaged.
    Damaged,
    /// The warning at this place.
    Warning(usize),
}

impl Notices {
    /// A change of identity broke off before.
    pub fn broke_off(&mut self, broke_off: bool) {
        self.broke_off = broke_off;
    }

    /// All is well, but for what was set that could not be read and is there now.
    #[must_use]
    pub fn about(damaged: Option<PathBuf>) -> Self {
        Self {
            damaged,
            ..Self::default()
        }
    }

    /// Something is wrong that a person can mend.
    pub fn warn(&mut self, text: String) {
        if self.warnings.contains(&text) {
            return;
        }
        if self.warnings.len() >= WARNINGS_MAX {
            self.warnings.pop_front();
        }
        self.warnings.push_back(text);
    }

    /// What is wrong with the registry or the name, if anything.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    #[cfg(test)]
    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().map(String::as_str)
    }

    /// Takes in what happened in the phone of this name at this registry.
    pub fn hear(
        &mut self,
        event: &engine::Event,
        name: &Name,
        registry: &Host,
        texts: &FluentLanguageLoader,
    ) {
        match event {
            engine::Event::Phone(phone::Event::Registered) => {
                self.trouble = None;
                self.distrust = false;
            }
            engine::Event::Phone(phone::Event::RegistrationRefused(refusal)) => {
                self.trouble = Some(Trouble::Refused(*refusal, name.clone()));
            }
            // What is known better is not said worse.
            // It is said that another phone has this one's place; that the connection ends is not
            // why.
            engine::Event::Phone(phone::Event::RegistryUnreachable(Why::Closed(
                ClosingReason::Replaced,
            ))) => self.trouble = Some(Trouble::Replaced),
            engine::Event::Phone(phone::Event::RegistryUnreachable(why)) if !self.distrust => {
                self.trouble = Some(Trouble::Unreachable(registry.clone(), why.clone()));
            }
            engine::Event::Phone(phone::Event::Replaced) => self.trouble = Some(Trouble::Replaced),
            engine::Event::RegistryUntrusted { host, why }
            | engine::Event::RegistryTurnsAway { host, why } => {
                if host.is_same(registry) {
                    self.distrust = true;
                    self.trouble = Some(Trouble::Barred(host.clone(), why.clone()));
                } else {
                    self.warn(trouble::elsewhere(texts, host, why).line());
                }
            }
            engine::Event::RegistryMet { host, key } => {
                self.met = Some((host.clone(), key.fingerprint()));
            }
            engine::Event::Warning(warning) => self.warn(trouble::warned(texts, warning)),
            _ => {}
        }
    }

    /// A notice was read.
    pub fn read(&mut self, notice: Notice) {
        match notice {
            Notice::Met => self.met = None,
            Notice::Damaged => self.damaged = None,
            Notice::Warning(at) => {
                self.warnings.remove(at);
            }
        }
    }

    /// What stands above every screen; nothing while all is well.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Option<Element<'a, Message>> {
        let t = cx.texts;
        let dismiss = |notice| Some(dismiss(notice, cx));
        let trouble = self.trouble.as_ref().map(|trouble| {
            let passes = trouble.passes();
            // To sign in anew ends the calls, which need no registry.
            let offers = !passes || cx.board.calls.is_empty();
            let again = offers.then(|| {
                let again = button::secondary(fl!(t, "notice-sign-in"));
                again.on_press(Message::SignInPressed).into()
            });
            let kind = if passes { Kind::Warning } else { Kind::Danger };
            let said = trouble.said(t);
            look::alert(kind, said.title, said.text, again)
        });
        let broke_off = self.broke_off.then(|| {
            let find = button::secondary(fl!(t, "notice-find-out"));
            let find = find.on_press(Message::FindOutPressed).into();
            look::banner(Kind::Warning, fl!(t, "notice-broke-off"), Some(find))
        });
        let met = self.met.as_ref().map(|(host, key)| {
            let words = fl!(t, "notice-met", host = host.to_string(), key = key.as_str());
            look::banner(Kind::Info, words, dismiss(Notice::Met))
        });
        let damaged = self.damaged.as_deref().map(|path| damaged(path, cx));
        let warnings = self.warnings.iter().enumerate().map(|(at, warning)| {
            look::banner(
                Kind::Warning,
                warning.as_str(),
                dismiss(Notice::Warning(at)),
            )
        });
        let all: Vec<_> = trouble
            .into_iter()
            .chain(broke_off)
            .chain(met)
            .chain(damaged)
            .chain(warnings)
            .collect();
        (!all.is_empty()).then(|| column(all).spacing(space::S).into())
    }
}

/// What was set could not be read, and is there now.
#[must_use]
pub fn damaged<'a>(path: &Path, cx: &Cx<'a>) -> Element<'a, Message> {
    let path = path.display().to_string();
    let words = fl!(cx.texts, "notice-damaged", path = path);
    look::banner(Kind::Warning, words, Some(dismiss(Notice::Damaged, cx)))
}

/// The button of a notice that is read.
fn dismiss<'a>(notice: Notice, cx: &Cx<'a>) -> Element<'a, Message> {
    let button = button::quiet(Icon::Close).on_press(Message::Read(notice));
    look::tip(button, fl!(cx.texts, "dismiss"), None)
}
