//! The head of the window: where the registry listens, whether it is open, Open and Close.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What a person typed, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Door {
    ip: String,
    port: String,
    wrong: Option<Wrong>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// An address was typed.
    IpTyped(String),
    /// A port was typed.
    PortTyped(String),
    /// Open, or Enter in one of the fields.
    OpenPressed,
    /// Close.
    ClosePressed,
    /// Close without waiting.
    CutPressed,
    /// The address to give to others is to be copied.
    CopyPressed(String),
}

/// What the window is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Opens the registry there.
    Open(SocketAddr),
    /// Closes it.
    Close,
    /// Waits no longer.
    Cut,
    /// Puts this on the clipboard.
    Copy(String),
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// That is no address.
    Ip,
    /// That is no port from 1 to 65535.
    Port,
}

impl Door {
    /// As it was set up last.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            ip: listen.ip().to_string(),
            port: listen.port().to_string(),
            wrong: None,
        }
    }

    /// What is to be done about what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::IpTyped(ip) => {
                self.ip = ip;
                self.wrong = None;
                Action::None
            }
            Message::PortTyped(port) => {
                self.port = port;
                self.wrong = None;
                Action::None
            }
            Message::OpenPressed => match self.listen() {
                Ok(listen) => Action::Open(listen),
                Err(wrong) => {
                    self.wrong = Some(wrong);
                    Action::None
                }
            },
            Message::ClosePressed => Action::Close,
            Message::CutPressed => Action::Cut,
            Message::CopyPressed(text) => Action::Copy(text),
        }
    }

    /// What is typed: the address and the port.
    #[must_use]
    pub fn typed(&self) -> (&str, &str) {
        (&self.ip, &self.port)
    }

    /// What is wrong with it, once it was to be opened.
    #[must_use]
    pub fn wrong(&self) -> Option<Wrong> {
        self.wrong
    }

    /// Where to listen, as it is typed.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn listen(&self) -> Result<SocketAddr, Wrong> {
        let ip = match self.ip.trim().trim_matches(['[', ']']) {
            "" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            typed => typed.parse().map_err(|_| Wrong::Ip)?,
        };
        let port: u16 = self.port.trim().parse().map_err(|_| Wrong::Port)?;
        match port {
            0 => Err(Wrong::Port),
            port => Ok(SocketAddr::new(ip, port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(ip: &str, port: &str) -> Door {
        let mut door = Door::new("0.0.0.0:5000".parse().unwrap());
        door.update(Message::IpTyped(ip.to_owned()));
        door.update(Message::PortTyped(port.to_owned()));
        door
    }

    #[test]
    fn what_is_typed_is_where_it_opens() {
        for (ip, port, listen) in [
            ("0.0.0.0", "5000", "0.0.0.0:5000"),
            (" 192.0.2.7 ", " 6000 ", "192.0.2.7:6000"),
            ("", "5000", "0.0.0.0:5000"),
            ("localhost", "5000", "127.0.0.1:5000"),
            ("[::1]", "5000", "[::1]:5000"),
            ("::", "1", "[::]:1"),
        ] {
            let action = typed(ip, port).update(Message::OpenPressed);
            assert_eq!(action, Action::Open(listen.parse().unwrap()), "{ip} {port}");
        }
    }

    #[test]
    fn what_cannot_be_listened_on_opens_nothing_until_it_is_typed_anew() {
        for (ip, port, wrong) in [
            ("example.org", "5000", Wrong::Ip),
            ("192.0.2", "5000", Wrong::Ip),
            ("0.0.0.0", "0", Wrong::Port),
            ("0.0.0.0", "65536", Wrong::Port),
            ("0.0.0.0", "", Wrong::Port),
        ] {
            let mut door = typed(ip, port);
            assert_eq!(door.update(Message::OpenPressed), Action::None);
            assert_eq!(door.wrong, Some(wrong), "{ip} {port}");
            door.update(Message::PortTyped("5000".to_owned()));
            assert_eq!(door.wrong, None);
        }
    }
}
