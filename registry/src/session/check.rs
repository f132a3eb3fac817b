//! What is checked about a request before the store is asked, and how much work it is.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use codec::{
    DeviceId, Name,
    claim::{ChangeKey, Recover},
    registry::{Contact, EXPIRES_MAX_S, EXPIRES_MIN_S, Method, Refusal, Register, Watch},
};

use super::{Ask, Session, State, Waiting, is_loopback};
use crate::{
    limits::{Count, Directory, Source},
    ownership::{KeyChange, Recovery},
    table::{Registration, Renewal},
};

impl Session {
    /// Checks everything about a request that can be checked without the store.
    pub(super) fn check(
        &mut self,
        method: Method,
        now: Instant,
    ) -> Result<(Waiting, Ask), Refusal> {
        match method {
            Method::Register(register) => self.check_register(register, now),
            Method::Refresh(refresh) => {
                let identity = self.phone()?.identity;
                if !refresh.is_signed(&identity, &self.binding()) {
                    return Err(Refusal::BadSignature);
                }
                let expires_s = self.lease(refresh.expires_s)?;
                self.check_room(&refresh.name, refresh.device)?;
                let (name, device, cseq) = (refresh.name, refresh.device, refresh.cseq);
                let waiting = Waiting::Refresh(name.clone(), device, expires_s);
                let renewal = Renewal {
                    name,
                    device,
                    identity,
                    cseq,
                    connection: self.setup.id,
                };
                let expires = Duration::from_secs(expires_s.into());
                Ok((waiting, Ask::Refresh(renewal, expires)))
            }
            Method::Unregister(unregister) => {
                let identity = self.phone()?.identity;
                if !unregister.is_signed(&identity, &self.binding()) {
                    return Err(Refusal::BadSignature);
                }
                let (name, device, cseq) = (unregister.name, unregister.device, unregister.cseq);
                if let State::Phone(phone) = &mut self.state {
                    phone.given_up = phone.given_up.max(cseq);
                }
                let waiting = Waiting::Unregister(name.clone(), device);
                Ok((
                    waiting,
                    Ask::Unregister(Renewal {
                        name,
                        device,
                        identity,
                        cseq,
                        connection: self.setup.id,
                    }),
                ))
            }
            Method::Lookup { name } => Ok((Waiting::Other, Ask::Lookup(name))),
            Method::List {
                prefix,
                after,
                limit,
            } => {
                self.check_directory(now)?;
                let (prefix, limit) = (prefix.as_str().to_owned(), usize::from(limit));
                Ok((
                    Waiting::Other,
                    Ask::List {
                        prefix,
                        after,
                        limit,
                    },
                ))
            }
            Method::Send { envelope, .. } => {
                let phone = self.phone()?;
                let mut leases = phone.registered.iter();
                // As it was registered, letter by letter: only that was compared with what other
                // names look like.
                let shown = envelope.from.name.as_str();
                let theirs = leases.any(|lease| lease.name.as_str() == shown);
                if !theirs || envelope.from.identity != phone.identity {
                    return Err(Refusal::NotYours);
                }
                Ok((Waiting::Other, Ask::Forward(envelope)))
            }
            Method::Publish { presence } => {
                let State::Phone(phone) = &mut self.state else {
                    return Err(Refusal::NotYours);
                };
                phone.presence = presence;
                let leases = phone.registered.iter();
                let ask = Ask::Publish {
                    devices: leases.map(|it| (it.name.clone(), it.device)).collect(),
                    connection: self.setup.id,
                    presence,
                };
                Ok((Waiting::Other, ask))
            }
            Method::Watch(watch) => {
                if watch == Watch::Everybody {
                    self.check_directory(now)?;
                }
                Ok((Waiting::Other, Ask::Watch(watch)))
            }
            about_ownership => self.check_owning(about_ownership),
        }
    }

    /// The same for requests about ownership.
    fn check_owning(&mut self, method: Method) -> Result<(Waiting, Ask), Refusal> {
        match method {
            Method::Release(release) => {
                let identity = self.phone()?.identity;
                let signed = release.is_signed(&identity, &self.binding());
                self.check_count(signed, release.cseq)?;
                let waiting = Waiting::Release(release.name.clone());
                Ok((waiting, Ask::Release(release.name, identity)))
            }
            Method::ChangeKey(change) => {
                let from = self.phone()?.identity;
                let signed = change.is_signed(&from, &self.binding());
                self.check_count(signed, change.cseq)?;
                let ChangeKey {
                    name, to, recovery, ..
                } = change;
                let waiting = Waiting::KeyChange(name.clone());
                let change = KeyChange {
                    name,
                    from,
                    to,
                    recovery,
                };
                Ok((waiting, Ask::ChangeKey(change)))
            }
            Method::Recover(recover) => {
                let to = self.phone()?.identity;
                let signed = recover.is_signed(&to, &self.binding());
                self.check_count(signed, recover.cseq)?;
                let Recover {
                    name,
                    opens,
                    recovery,
                    ..
                } = recover;
                let waiting = Waiting::KeyChange(name.clone());
                let recovery = Recovery {
                    name,
                    to,
                    opens,
                    recovery,
                };
                Ok((waiting, Ask::Recover(recovery)))
            }
            _ => Err(Refusal::Malformed),
        }
    }

    fn check_register(
        &mut self,
        register: Register,
        now: Instant,
    ) -> Result<(Waiting, Ask), Refusal> {
        let phone = self.phone()?;
        let ours = register.card.identity == phone.identity;
        if !ours || !register.card.is_valid(self.time(now)) || !register.is_signed(&self.binding())
        {
            return Err(Refusal::BadSignature);
        }
        let expires_s = self.lease(register.expires_s)?;
        let Register {
            name,
            device,
            card,
            contacts,
            expires_s: _,
            cseq,
            claim,
            signature: _,
        } = register;
        if contacts.iter().any(|addr| !is_reachable(addr)) {
            return Err(Refusal::OutOfRange);
        }
        if cseq <= phone.given_up {
            return Err(Refusal::Stale);
        }
        let presence = phone.presence;
        self.check_room(&name, device)?;
        let contacts = with_observed(&contacts, self.setup.peer.ip());
        let waiting = Waiting::Register(name.clone(), device, expires_s);
        Ok((
            waiting,
            Ask::Register(Registration {
                name,
                device,
                card,
                contacts,
                expires: Duration::from_secs(expires_s.into()),
                cseq,
                presence,
                source: Source::from(self.setup.peer.ip()),
                connection: self.setup.id,
                claim,
            }),
        ))
    }

    /// Whether a request about ownership is signed, and newer than all before on this connection.
    fn check_count(&mut self, signed: bool, cseq: u64) -> Result<(), Refusal> {
        let State::Phone(phone) = &mut self.state else {
            return Err(Refusal::NotYours);
        };
        if !signed {
            return Err(Refusal::BadSignature);
        }
        if cseq <= phone.cseq {
            return Err(Refusal::Stale);
        }
        phone.cseq = cseq;
        Ok(())
    }

    /// Whether this connection is shown which names are registered.
    #[must_use]
    pub fn is_shown_directory(&self, now: Instant) -> bool {
        match (self.registrar.limits.directory, &self.state) {
            (Directory::Open, _) => true,
            (Directory::Members, State::Phone(phone)) => {
                phone.registered.iter().any(|lease| lease.ends > now)
            }
            (Directory::Members | Directory::Closed, _) => false,
        }
    }

    fn check_directory(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.is_shown_directory(now) {
            return Ok(());
        }
        self.count(Count::DirectoryRefused);
        Err(Refusal::Closed)
    }

    /// The lease that is granted to who asks for one of `expires_s`, in seconds.
    fn lease(&self, expires_s: u16) -> Result<u16, Refusal> {
        if !(EXPIRES_MIN_S..=EXPIRES_MAX_S).contains(&expires_s) {
            return Err(Refusal::OutOfRange);
        }
        let most = self.registrar.limits.lease_max_s.max(EXPIRES_MIN_S);
        Ok(expires_s.min(most))
    }

    /// Whether this connection may hold a device, beside those that it holds.
    fn check_room(&mut self, name: &Name, device: DeviceId) -> Result<(), Refusal> {
        let held = &self.phone()?.registered;
        let known = held.iter().any(|lease| lease.is_of(name, device));
        if !known && held.len() >= self.registrar.limits.registrations {
            self.count(Count::RegistrationsRefused);
            return Err(Refusal::TooMany);
        }
        Ok(())
    }
}

/// The work of a frame that is no request: so that nonsense is no cheaper than sense.
pub(super) const MALFORMED_UNITS: u32 = 5;

/// The work of telling a change: it is looked up for each who watches.
pub(super) const CHANGE_UNITS: u32 = 1;

/// How much work a request about ownership is: it may wait for the disk, and recovery codes are not
/// to be tried out. Four and a half of them are a second's share of work.
const OWNERSHIP_UNITS: u32 = 110;

/// How much work a request is, compared with a lookup. A signature is 25.
pub(super) fn units_of(method: &Method) -> u32 {
    match method {
        Method::Register(_) | Method::Refresh(_) | Method::Unregister(_) => 25,
        Method::Release(_) | Method::ChangeKey(_) | Method::Recover(_) => OWNERSHIP_UNITS,
        // Every change is told to all who watch.
        Method::Publish { .. } => 25,
        Method::List { .. } | Method::Send { .. } => 5,
        // How each name is now is told at once, and costs what a change does.
        Method::Watch(_) => 5,
        _ => 1,
    }
}

/// Whether somebody can listen there at all.
fn is_reachable(addr: &SocketAddr) -> bool {
    let ip = addr.ip().to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    addr.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// The signed contacts, and the address that the phone was seen to come from. A loopback address of
/// a phone that is elsewhere would lead to the registry's own machine, so it is left out.
fn with_observed(signed: &[SocketAddr], observed: IpAddr) -> Vec<Contact> {
    let elsewhere = !is_loopback(observed);
    let mut contacts: Vec<Contact> = signed
        .iter()
        .filter(|addr| !(elsewhere && is_loopback(addr.ip())))
        .map(|&addr| Contact {
            addr,
            observed: false,
        })
        .collect();
    if let Some(first) = signed.first() {
        let addr = SocketAddr::new(observed.to_canonical(), first.port());
        if !signed.contains(&addr) {
            contacts.push(Contact {
                addr,
                observed: true,
            });
        }
    }
    contacts
}
