//! Messages in one line each, for the logs of registries and phones: without signatures, nonces,
//! claims or sealed bytes. PURE.

use std::fmt;

use codec::{
    Envelope, Signal,
    claim::{ChangeKey, Recover, Release},
    direct::DirectFrame,
    greeting::{Answer, Hello, Role, Welcome},
    registry::{FromRegistry, Method, Notice, Request, Response, Success, Watch},
};

/// A message in one line, without signatures, keys or sealed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a, T>(pub &'a T);

impl fmt::Display for Line<'_, Hello> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.role {
            Role::Client => write!(f, "Hello {}", self.0.agent.as_str()),
            Role::Phone(phone) => {
                write!(
                    f,
                    "Hello {} identity={:?}",
                    self.0.agent.as_str(),
                    phone.card.identity
                )
            }
        }
    }
}

impl fmt::Display for Line<'_, Answer> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.welcome {
            Ok(Welcome::Registry(welcome)) => write!(f, "Welcome observed={}", welcome.observed),
            Ok(Welcome::Phone(_)) => f.write_str("Welcome"),
            Err(reason) => write!(f, "Unwelcome {reason:?}"),
        }
    }
}

impl fmt::Display for Line<'_, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:?} ", self.0.id)?;
        match &self.0.method {
            Method::Register(register) => write!(
                f,
                "Register {} device={:?} contacts={:?} expires={}s cseq={}",
                register.name,
                register.device,
                &register.contacts[..],
                register.expires_s,
                register.cseq
            ),
            Method::Refresh(refresh) => write!(
                f,
                "Refresh {} device={:?} expires={}s cseq={}",
                refresh.name, refresh.device, refresh.expires_s, refresh.cseq
            ),
            Method::Unregister(unregister) => write!(
                f,
                "Unregister {} device={:?} cseq={}",
                unregister.name, unregister.device, unregister.cseq
            ),
            Method::Lookup { name } => write!(f, "Lookup {name}"),
            Method::List {
                prefix,
                after,
                limit,
            } => {
                write!(
                    f,
                    "List prefix={:?} after={after:?} limit={limit}",
                    prefix.as_str()
                )
            }
            Method::Send { envelope, ttl_s } => {
                write!(f, "Send {} ttl={ttl_s}s", Line(envelope))
            }
            Method::Release(Release { name, cseq, .. }) => write!(f, "Release {name} cseq={cseq}"),
            Method::ChangeKey(ChangeKey { name, to, cseq, .. }) => {
                write!(f, "ChangeKey {name} to={to:?} cseq={cseq}")
            }
            Method::Recover(Recover { name, cseq, .. }) => write!(f, "Recover {name} cseq={cseq}"),
            Method::Watch(Watch::Names(names)) => write!(f, "Watch names={}", names.len()),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Line<'_, Envelope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Envelope {
            from, to, id, kind, ..
        } = self.0;
        let bytes = self.0.sealed_len();
        write!(
            f,
            "{kind:?} {id:?} from={} to={} sealed={bytes}",
            from.name, to.name
        )
    }
}

impl fmt::Display for Line<'_, FromRegistry> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FromRegistry::Response(Response {
                id,
                result: Ok(success),
            }) => {
                write!(f, "#{id:?} ")?;
                match success {
                    Success::Found(record) => {
                        let contacts = record.entry.contacts();
                        write!(f, "Found {} contacts={contacts:?}", record.entry.name)
                    }
                    Success::Page(page) => {
                        write!(f, "Page names={} more={}", page.entries.len(), page.more)
                    }
                    other => write!(f, "{other:?}"),
                }
            }
            FromRegistry::Response(Response {
                id,
                result: Err(refusal),
            }) => {
                write!(f, "#{id:?} refused {refusal:?}")
            }
            FromRegistry::Notice(Notice::Envelope(envelope)) => {
                write!(f, "Envelope {}", Line(envelope))
            }
            FromRegistry::Notice(Notice::Changed(entry)) => {
                let (name, presence) = (&entry.name, entry.presence);
                write!(
                    f,
                    "Changed {name} {presence} contacts={:?}",
                    entry.contacts()
                )
            }
            FromRegistry::Notice(Notice::Gone(name)) => write!(f, "Gone {name}"),
            FromRegistry::Notice(notice) => write!(f, "{notice:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Line<'_, DirectFrame> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DirectFrame::Envelope(envelope) => write!(f, "Envelope {}", Line(envelope)),
            DirectFrame::Refused(refusal) => write!(f, "refused {refusal:?}"),
            // What comes later says itself what it is.
            _ => f.write_str("something newer"),
        }
    }
}

/// What a signal is called, without anything that it says.
#[must_use]
pub fn signal_word(signal: &Signal) -> &'static str {
    match signal {
        Signal::Invite { .. } => "Invite",
        Signal::Ringing => "Ringing",
        Signal::Accept { .. } => "Accept",
        Signal::Confirm { .. } => "Confirm",
        Signal::Decline(_) => "Decline",
        Signal::Busy => "Busy",
        Signal::Cancel(_) => "Cancel",
        Signal::Bye(_) => "Bye",
        Signal::Hold => "Hold",
        Signal::Resume => "Resume",
        Signal::Candidates { .. } => "Candidates",
        _ => "Signal",
    }
}

#[cfg(test)]
mod tests {
    use codec::{
        DeviceId, Identity, IdentityKey, KeyCard, RecoveryCode,
        claim::{Claim, InviteCode, RecoveryLock},
        frame::to_frame,
        greeting::{Exporter, Nonce},
        identity::AgreementSecret,
        registry::{Binding, Contacts, Register, RequestId},
    };
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    /// As it would stand in a text.
    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn no_signature_code_or_lock_is_in_a_line() {
        let (owner, other) = (
            Identity::from_secret(&[1; 32]),
            Identity::from_secret(&[2; 32]),
        );
        let agreement = AgreementSecret::from_secret(&[3; 32]).key();
        let card = KeyCard::issue(&owner, agreement, 1, u64::MAX);
        let binding = Binding {
            registry: IdentityKey([4; 32]),
            exporter: Exporter([0xe5; 32]),
            nonce: Nonce([0xe6; 32]),
        };
        let code = RecoveryCode::generate(&mut ChaCha20Rng::from_seed([7; 32]));
        let lock = RecoveryLock([0xd8; 32]);
        let mut claim = Claim::new(lock);
        claim.invite = InviteCode::new("open-sesame");
        let name = || "bob".parse().unwrap();
        let register = Register::sign(
            &owner,
            &binding,
            name(),
            DeviceId([9; 16]),
            card,
            Contacts::default(),
            60,
            1,
            claim,
        );
        let release = Release::sign(&owner, &binding, name(), 1);
        let change = ChangeKey::sign(&owner, &other, &binding, name(), lock, 2);
        let recover = Recover::sign(&other, &binding, name(), &code, lock, 3);
        let mut secrets: Vec<Vec<u8>> = [
            &register.signature,
            &release.signature,
            &change.signature,
            &change.proof,
            &recover.signature,
            &recover.proof,
        ]
        .map(|signature| to_frame(signature).unwrap())
        .into();
        secrets.extend([[0xd8; 32], [0xe5; 32], [0xe6; 32], code.lock().0].map(|it| it.to_vec()));
        for method in [
            Method::Register(register),
            Method::Release(release),
            Method::ChangeKey(change),
            Method::Recover(recover),
        ] {
            let id = RequestId(7);
            let text = Line(&Request { id, method }).to_string();
            assert!(text.contains("bob"), "{text}");
            assert!(!text.contains("sesame"), "{text}");
            for part in secrets.iter().flat_map(|secret| secret.windows(4)) {
                let decimal = format!("{part:?}");
                let shown = [hex(part).as_str(), decimal.trim_matches(['[', ']'])]
                    .iter()
                    .any(|part| text.contains(part));
                assert!(!shown, "{text}");
            }
        }
    }
}
