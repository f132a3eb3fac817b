//! Who one is, and which registry knows: the first screen.

use std::net::{Ipv4Addr, SocketAddr};

use i18n_embed_fl::fl;
use iced::{
    Element,
    widget::{button, column, text, text_input},
};
use registry::client::Security;

use super::{Cx, Options, line::Start};
use crate::{
    audio::{Input, Output},
    phone, settings,
};

/// The screen.
#[derive(Debug)]
pub struct SignIn {
    options: Options,
    name: String,
    registry: String,
}

/// What happened on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// The name was typed on.
    NameChanged(String),
    /// The registry was typed on.
    RegistryChanged(String),
    /// To sign in.
    ConnectPressed,
}

/// What it wants done.
pub enum Action {
    /// Nothing.
    None,
    /// Run this phone.
    Connect(Start),
}

impl SignIn {
    /// With what is known from before.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let name = options.name.clone();
        let name = name.or_else(|| settings::last_name(&options.folder));
        Self {
            options: options.clone(),
            name: name.map(|name| name.to_string()).unwrap_or_default(),
            registry: options
                .registry
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::NameChanged(name) => self.name = name,
            Message::RegistryChanged(registry) => self.registry = registry,
            Message::ConnectPressed => {
                if let (Ok(name), Ok(registry)) = (self.name.parse(), self.registry.parse()) {
                    return Action::Connect(Start {
                        folder: self.options.folder.clone(),
                        name,
                        registry,
                        security: Security::Tls,
                        invite: None,
                        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
                        input: Input::Default,
                        output: Output::Default,
                        ring_on: None,
                        settings: phone::Settings::of_person(),
                    });
                }
            }
        }
        Action::None
    }

    /// What is on it.
    #[must_use]
    pub fn view<'a>(&'a self, cx: &Cx<'a>) -> Element<'a, Message> {
        column![
            text(fl!(cx.texts, "sign-in-title")),
            text_input(&fl!(cx.texts, "sign-in-name"), &self.name).on_input(Message::NameChanged),
            text_input(&fl!(cx.texts, "sign-in-registry"), &self.registry)
                .on_input(Message::RegistryChanged)
                .on_submit(Message::ConnectPressed),
            button(text(fl!(cx.texts, "sign-in-connect"))).on_press(Message::ConnectPressed),
        ]
        .into()
    }
}
