//! Messages of every kind with any values in them, for the properties to hold for.

use std::net::SocketAddr;

use codec::{
    CallId, CallSignal, DeviceId, Envelope, EnvelopeError, Identity, IdentityKey, KeyCard, List,
    Name, Party, RecoveryLock, Signal, Text,
    claim::{ChangeKey, Claim, Recover, Release},
    direct::{DirectFrame, DirectRefusal},
    envelope::{Address, EnvelopeId, Kind},
    greeting::{
        Agent, Answer, Exporter, Hello, Nonce, PhoneGreeting, RegistryWelcome, Role, Unwelcome,
        Welcome,
    },
    identity::{AgreementKey, AgreementSecret, Signature},
    registry::{
        CONTACTS_MAX, ClosingReason, Contact, DEVICES_MAX, Device, Entry, FromRegistry, Method,
        Notice, Page, Prefix, Presence, Record, Refresh, Refusal, Register, Request, RequestId,
        Response, Success, Unregister, Watch,
    },
    signal::{
        ByeReason, CANDIDATES_MAX, CallNonce, CancelReason, Candidate, CandidateKind, Candidates,
        Commitment, DeclineReason, Fingerprint, IceCredentials, MediaOffer,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::Serialize;

/// Names of several scripts.
pub fn names() -> impl Strategy<Value = Name> {
    let ascii = "[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}";
    let others = select(vec![
        "Ana-Luísa",
        "Ольга",
        "李明",
        "さくら",
        "Straße",
        "मीरा",
    ]);
    prop_oneof![ascii, others.prop_map(str::to_owned)].prop_map(|name| name.parse().unwrap())
}

/// Flow labels and scopes mean nothing on another machine, and are not on the wire.
fn addresses() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u16; 8], u16)>().prop_map(SocketAddr::from),
    ]
}

/// Nonces of connections.
pub fn nonces() -> impl Strategy<Value = Nonce> {
    any::<[u8; 32]>().prop_map(Nonce)
}

fn signatures() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>()
        .prop_map(|[r, s]| Signature::from_bytes([r, s].concat().try_into().unwrap()))
}

fn devices() -> impl Strategy<Value = DeviceId> {
    any::<[u8; 16]>().prop_map(DeviceId)
}

fn agents() -> impl Strategy<Value = Agent> {
    "[ -~]{0,64}".prop_map(|text| Text::new(&text).unwrap())
}

/// Key cards, signed by nobody.
pub fn cards() -> impl Strategy<Value = KeyCard> {
    let keys = any::<[[u8; 32]; 2]>();
    (keys, any::<u64>(), any::<u64>(), signatures()).prop_map(
        |([identity, agreement], serial, not_after, signature)| KeyCard {
            identity: IdentityKey(identity),
            agreement: AgreementKey(agreement),
            serial,
            not_after,
            signature,
        },
    )
}

fn phones() -> impl Strategy<Value = PhoneGreeting> {
    (cards(), nonces()).prop_map(|(card, nonce)| PhoneGreeting { card, nonce })
}

/// First frames of who connected.
pub fn hellos() -> impl Strategy<Value = Hello> {
    let roles = prop_oneof![Just(Role::Client), phones().prop_map(Role::Phone)];
    (agents(), roles).prop_map(|(agent, role)| Hello {
        version: 1,
        agent,
        role,
    })
}

/// First frames of who listened.
pub fn answers() -> impl Strategy<Value = Answer> {
    let registry = (
        agents(),
        nonces(),
        any::<[u8; 32]>(),
        any::<u64>(),
        addresses(),
    )
        .prop_map(|(agent, nonce, secret, time, observed)| {
            let registry = Identity::from_secret(&secret);
            RegistryWelcome::prove(&registry, &Exporter::PLAIN, agent, nonce, time, observed)
        });
    let unwelcomes = vec![
        Unwelcome::Version,
        Unwelcome::Full,
        Unwelcome::PlainRefused,
        Unwelcome::Malformed,
        Unwelcome::BadCard,
        Unwelcome::AddressFull,
        Unwelcome::TooSlow,
        Unwelcome::Banned,
        Unwelcome::TooFast,
    ];
    prop_oneof![
        registry.prop_map(|welcome| Ok(Welcome::Registry(welcome))),
        phones().prop_map(|phone| Ok(Welcome::Phone(phone))),
        select(unwelcomes).prop_map(Err),
    ]
    .prop_map(Answer::new)
}

/// Frames to a registry.
pub fn requests() -> impl Strategy<Value = Request> {
    let device = || (names(), devices(), any::<u16>(), any::<u64>(), signatures());
    let registers = (
        device(),
        cards(),
        vec(addresses(), 0..=CONTACTS_MAX),
        claims(),
    )
        .prop_map(
            |((name, device, expires_s, cseq, signature), card, contacts, claim)| {
                Method::Register(Register {
                    name,
                    device,
                    card,
                    contacts: List::first_of(contacts),
                    expires_s,
                    cseq,
                    claim,
                    signature,
                })
            },
        );
    let refreshes = device().prop_map(|(name, device, expires_s, cseq, signature)| {
        Method::Refresh(Refresh {
            name,
            device,
            expires_s,
            cseq,
            signature,
        })
    });
    let unregisters = device().prop_map(|(name, device, _, cseq, signature)| {
        Method::Unregister(Unregister {
            name,
            device,
            cseq,
            signature,
        })
    });
    let lists =
        (any::<String>(), option::of(names()), any::<u8>()).prop_map(|(prefix, after, limit)| {
            Method::List {
                prefix: Prefix::new(&prefix),
                after,
                limit,
            }
        });
    let sends =
        (envelopes(), any::<u32>()).prop_map(|(envelope, ttl_s)| Method::Send { envelope, ttl_s });
    let watches = prop_oneof![
        Just(Watch::Everybody),
        vec(names(), 0..9).prop_map(|names| Watch::Names(List::first_of(names))),
    ];
    let methods = prop_oneof![
        registers,
        refreshes,
        unregisters,
        names().prop_map(|name| Method::Lookup { name }),
        lists,
        sends,
        presences().prop_map(|presence| Method::Publish { presence }),
        watches.prop_map(Method::Watch),
        ownership(),
    ];
    (any::<u32>(), methods).prop_map(|(id, method)| Request {
        id: RequestId(id),
        method,
    })
}

fn locks() -> impl Strategy<Value = RecoveryLock> {
    any::<[u8; 32]>().prop_map(RecoveryLock)
}

fn claims() -> impl Strategy<Value = Claim> {
    let invites = option::of("[ -~]{0,32}".prop_map(|code| Text::new(&code).unwrap()));
    (locks(), invites).prop_map(|(recovery, invite)| Claim { recovery, invite })
}

fn ownership() -> impl Strategy<Value = Method> {
    let signed = || (names(), any::<u64>(), signatures());
    prop_oneof![
        signed().prop_map(|(name, cseq, signature)| Method::Release(Release {
            name,
            cseq,
            signature
        })),
        (signed(), any::<[u8; 32]>(), locks(), signatures()).prop_map(
            |((name, cseq, signature), to, recovery, proof)| Method::ChangeKey(ChangeKey {
                name,
                to: IdentityKey(to),
                recovery,
                cseq,
                signature,
                proof,
            })
        ),
        (signed(), locks(), locks(), signatures()).prop_map(
            |((name, cseq, signature), opens, recovery, proof)| {
                Method::Recover(Recover {
                    name,
                    opens,
                    recovery,
                    cseq,
                    signature,
                    proof,
                })
            }
        ),
    ]
}

fn presences() -> impl Strategy<Value = Presence> {
    select(vec![Presence::Available, Presence::Busy, Presence::Away])
}

fn entries() -> impl Strategy<Value = Entry> {
    let contacts =
        (addresses(), any::<bool>()).prop_map(|(addr, observed)| Contact { addr, observed });
    let phones = (
        devices(),
        vec(contacts, 0..=CONTACTS_MAX + 1),
        any::<u16>(),
        any::<bool>(),
    )
        .prop_map(|(id, contacts, lease_left_s, unverified)| Device {
            id,
            contacts: List::first_of(contacts),
            lease_left_s,
            unverified,
        });
    (names(), presences(), vec(phones, 0..=DEVICES_MAX)).prop_map(|(name, presence, devices)| {
        Entry {
            name,
            presence,
            devices: List::first_of(devices),
        }
    })
}

/// Frames from a registry.
pub fn from_registry() -> impl Strategy<Value = FromRegistry> {
    let pages = (vec(entries(), 0..4), any::<bool>()).prop_map(|(entries, more)| {
        Success::Page(Page {
            entries: List::first_of(entries),
            more,
        })
    });
    let successes = prop_oneof![
        any::<u16>().prop_map(|expires_s| Success::Registered { expires_s }),
        Just(Success::Unregistered),
        (cards(), entries()).prop_map(|(card, entry)| Success::Found(Record { card, entry })),
        pages,
        any::<u8>().prop_map(|devices| Success::Sent { devices }),
        Just(Success::Published),
        Just(Success::Watching),
        Just(Success::Released),
        Just(Success::KeyChanged),
    ];
    let refusals = prop_oneof![
        select(vec![
            Refusal::NameTaken,
            Refusal::Failed,
            Refusal::KeyChanged
        ]),
        any::<u32>().prop_map(|retry_s| Refusal::TooFast { retry_s }),
    ];
    let results = prop_oneof![successes.prop_map(Ok), refusals.prop_map(Err)];
    let reasons = vec![ClosingReason::Stopping, ClosingReason::Operator];
    let changes = prop_oneof![
        entries().prop_map(Notice::Changed),
        names().prop_map(Notice::Gone),
        Just(Notice::Missed),
    ];
    prop_oneof![
        (any::<u32>(), results).prop_map(|(id, result)| {
            let id = RequestId(id);
            FromRegistry::Response(Response { id, result })
        }),
        envelopes().prop_map(|envelope| FromRegistry::Notice(Notice::Envelope(envelope))),
        select(reasons).prop_map(|reason| FromRegistry::Notice(Notice::Closing(reason))),
        changes.prop_map(FromRegistry::Notice),
    ]
}

fn candidate_lists() -> impl Strategy<Value = Candidates> {
    let kinds = vec![
        CandidateKind::Host,
        CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive,
        CandidateKind::Relayed,
    ];
    let candidate =
        (select(kinds), addresses(), any::<u32>()).prop_map(|(kind, addr, priority)| Candidate {
            kind,
            addr,
            priority,
        });
    vec(candidate, 0..=CANDIDATES_MAX).prop_map(List::first_of)
}

/// What is said about a call.
pub fn signals() -> impl Strategy<Value = CallSignal> {
    let media = || {
        let ice = ("[a-zA-Z0-9+/]{4,256}", "[a-zA-Z0-9+/]{22,256}");
        (any::<[u8; 32]>(), ice, candidate_lists()).prop_map(
            |(fingerprint, (ufrag, password), candidates)| MediaOffer {
                fingerprint: Fingerprint(fingerprint),
                ice: IceCredentials::new(&ufrag, &password).unwrap(),
                candidates,
            },
        )
    };
    let invites = (cards(), media(), any::<[u8; 32]>()).prop_map(|(card, media, commitment)| {
        Signal::Invite {
            card,
            media,
            commitment: Commitment(commitment),
        }
    });
    let accepts = (media(), any::<[u8; 32]>()).prop_map(|(media, nonce)| Signal::Accept {
        media,
        nonce: CallNonce(nonce),
    });
    let moves = (candidate_lists(), candidate_lists())
        .prop_map(|(added, removed)| Signal::Candidates { added, removed });
    let short = vec![
        Signal::Ringing,
        Signal::Decline(DeclineReason::Failed),
        Signal::Busy,
        Signal::Cancel(CancelReason::Merged),
        Signal::Bye(ByeReason::Untrusted),
        Signal::Hold,
        Signal::Resume,
    ];
    let confirms = any::<[u8; 32]>().prop_map(|nonce| Signal::Confirm {
        nonce: CallNonce(nonce),
    });
    let signals = prop_oneof![invites, accepts, confirms, moves, select(short)];
    let between = (devices(), option::of(devices()), any::<u32>());
    (any::<[u8; 16]>(), between, signals).prop_map(|(call, (from, to, seq), signal)| CallSignal {
        call: CallId(call),
        from,
        to,
        seq,
        signal,
    })
}

/// Frames between phones.
pub fn direct_frames() -> impl Strategy<Value = DirectFrame> {
    let refusals = vec![
        DirectRefusal::Malformed,
        DirectRefusal::NotHere,
        DirectRefusal::NotAuthentic,
        DirectRefusal::TooMany,
    ];
    prop_oneof![
        envelopes().prop_map(DirectFrame::Envelope),
        select(refusals).prop_map(DirectFrame::Refused),
    ]
}

/// Envelopes from anybody to [`bob`], which hold any text.
pub fn envelopes() -> impl Strategy<Value = Envelope> {
    let text = prop_oneof![4 => "[ -~]{0,40}", 1 => "[ -~]{0,4000}"];
    (names(), any::<[u8; 32]>(), any::<[u8; 16]>(), text).prop_map(|(name, secret, id, body)| {
        let sender = Identity::from_secret(&secret);
        let from = Party {
            name,
            identity: sender.key(),
        };
        seal(&sender, from, EnvelopeId(id), Nonce::NONE, &body).unwrap()
    })
}

/// Whom every envelope is for.
pub fn bob() -> (Party, AgreementSecret) {
    let party = Party {
        name: "bob".parse().unwrap(),
        identity: Identity::from_secret(&[2; 32]).key(),
    };
    (party, AgreementSecret::from_secret(&[3; 32]))
}

/// An envelope to [`bob`], sealed with a generator seeded by its id.
pub fn seal<T: Serialize>(
    sender: &Identity,
    from: Party,
    id: EnvelopeId,
    link: Nonce,
    body: &T,
) -> Result<Envelope, EnvelopeError> {
    let (to, agreement) = bob();
    let address = Address {
        from,
        to,
        id,
        kind: Kind::Signal,
    };
    let mut rng = ChaCha20Rng::from_seed([id.0, id.0].concat().try_into().unwrap());
    Envelope::seal(sender, address, &agreement.key(), link, 42, body, &mut rng)
}

/// The payload of some message.
pub fn payloads() -> impl Strategy<Value = Vec<u8>> {
    fn payload<T: Serialize>(message: &T) -> Vec<u8> {
        postcard::to_allocvec(message).unwrap()
    }
    prop_oneof![
        hellos().prop_map(|message| payload(&message)),
        answers().prop_map(|message| payload(&message)),
        requests().prop_map(|message| payload(&message)),
        from_registry().prop_map(|message| payload(&message)),
        direct_frames().prop_map(|message| payload(&message)),
        signals().prop_map(|message| payload(&message)),
        cards().prop_map(|message| payload(&message)),
    ]
}
