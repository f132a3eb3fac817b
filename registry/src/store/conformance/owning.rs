//! What every store does about owned names, invitations and bans.

use super::*;
use crate::ownership::{Banned, Invite, KeyChange, Recovery};

pub(super) async fn run<S: Store>(open: impl Fn(&Limits, Claims) -> S) {
    let one_device = Limits {
        devices_per_address: 1,
        ..names_max(10)
    };
    let open_to = |claims| open(&names_max(10), claims);
    what_ends_an_ownership_ends_its_leases(&open_to(Claims::Open)).await;
    who_is_banned_is_served_no_more(&open_to(Claims::Open)).await;
    an_invite_is_used_up(&open_to(Claims::Invite)).await;
    a_registration_is_granted_whole_or_not_at_all(&open(&one_device, Claims::Invite)).await;
    closed_claims_take_nobody(&open_to(Claims::Closed)).await;
}

fn begin() -> Moment {
    after(Instant::now(), Duration::ZERO)
}

fn change(text: &str, from: u8, to: u8) -> KeyChange {
    KeyChange {
        name: name(text),
        from: card(from).identity,
        to: card(to).identity,
        recovery: RecoveryLock([to; 32]),
    }
}

fn invited(text: &str, seed: u8, code: &str) -> Registration {
    let recovery = RecoveryLock([seed; 32]);
    let invite = codec::Text::new(code);
    Registration {
        claim: Claim { recovery, invite },
        ..claim(text, seed, 1)
    }
}

fn invite(code: &str, uses_left: u32) -> Invite {
    Invite {
        code: codec::Text::new(code).unwrap(),
        uses_left,
        expires_at: BEGIN + 1000,
    }
}

async fn what_ends_an_ownership_ends_its_leases(store: &impl Store) {
    let (at, bob) = (begin(), name("bob"));
    let gone = async || store.lookup(&bob, at.now).await == Err(Refusal::NotFound);
    store.register(claim("bob", 1, 1), at).await.unwrap();
    let ended = store.change_key(change("bob", 1, 2), at).await.unwrap();
    assert_eq!((ended.len(), ended[0].connection), (1, ConnectionId(1)));
    assert!(gone().await);
    let renewed = store.refresh(renewal("bob", 1, 2), MINUTE, at).await;
    assert_eq!(renewed, Err(Refusal::KeyChanged));
    let again = store.register(claim("bob", 1, 2), at).await;
    assert_eq!(again, Err(Refusal::KeyChanged));
    store.register(claim("bob", 2, 1), at).await.unwrap();

    let recovery = Recovery {
        name: bob.clone(),
        to: card(3).identity,
        opens: RecoveryLock([1; 32]),
        recovery: RecoveryLock([3; 32]),
    };
    assert_eq!(store.recover(recovery, at).await.unwrap().len(), 1);
    assert!(gone().await);
    store.register(claim("bob", 3, 1), at).await.unwrap();

    let released = store.release(bob.clone(), card(3).identity, at).await;
    assert_eq!(released.unwrap().len(), 1);
    assert!(gone().await);
    store.register(claim("bob", 3, 1), at).await.unwrap();

    assert_eq!(store.owners("B", 10).0[0].identity, card(3).identity);
    let taken = store.release_by_operator(bob.clone()).await.unwrap();
    assert_eq!((taken.len(), store.owners("", 10)), (1, (Vec::new(), 0)));
    assert!(gone().await);
    store.register(claim("bob", 4, 1), at).await.unwrap();
}

async fn who_is_banned_is_served_no_more(store: &impl Store) {
    let at = begin();
    let mallory = card(1).identity;
    store.register(claim("mallory", 1, 1), at).await.unwrap();
    store.register(claim("mal", 1, 1), at).await.unwrap();
    store.register(claim("bob", 2, 1), at).await.unwrap();
    let ended = store.ban(Banned::Identity(mallory), at).await.unwrap();
    assert_eq!(ended.len(), 2);
    assert!(store.is_banned(&mallory) && !store.is_banned(&card(2).identity));
    for text in ["mallory", "new"] {
        let refused = store.register(claim(text, 1, 2), at).await;
        assert_eq!(refused, Err(Refusal::Banned));
    }
    let ended = store.ban(Banned::Name(name("Bob")), at).await.unwrap();
    assert_eq!(ended.len(), 1);
    let renewed = store.refresh(renewal("bob", 2, 2), MINUTE, at).await;
    assert_eq!(renewed, Err(Refusal::Banned));
    assert_eq!(store.bans().len(), 2);
    // What they own is theirs still.
    store.unban(Banned::Identity(mallory)).await.unwrap();
    store.register(claim("mallory", 1, 2), at).await.unwrap();
    let unbanned = store.unban(Banned::Identity(mallory)).await;
    assert_eq!(unbanned, Err(Refusal::NotFound));
}

async fn an_invite_is_used_up(store: &impl Store) {
    let at = begin();
    store.invite(invite("welcome", 1), at).await.unwrap();
    let refused = store.register(claim("bob", 1, 1), at).await;
    assert_eq!(refused, Err(Refusal::NotInvited));
    store
        .register(invited("bob", 1, "welcome"), at)
        .await
        .unwrap();
    let refused = store.register(invited("carol", 2, "welcome"), at).await;
    assert_eq!(refused, Err(Refusal::NotInvited));
    assert_eq!(store.invites(at), []);
    // Who owns a name needs no invitation.
    store.register(claim("bob", 1, 2), at).await.unwrap();
}

async fn a_registration_is_granted_whole_or_not_at_all(store: &impl Store) {
    let at = begin();
    store.invite(invite("two", 2), at).await.unwrap();
    store.register(invited("bob", 1, "two"), at).await.unwrap();
    // That address has as many devices as it may have.
    let crowded = Registration {
        source: claim("bob", 1, 1).source,
        ..invited("carol", 2, "two")
    };
    let refused = store.register(crowded, at).await;
    assert_eq!(refused, Err(Refusal::TooMany));
    assert_eq!(
        (store.owners("", 10).1, store.invites(at)[0].uses_left),
        (1, 1)
    );
    store
        .register(invited("carol", 2, "two"), at)
        .await
        .unwrap();
}

async fn closed_claims_take_nobody(store: &impl Store) {
    let refused = store.register(claim("bob", 1, 1), begin()).await;
    assert_eq!(refused, Err(Refusal::ClaimsClosed));
    assert_eq!(store.owners("", 10), (Vec::new(), 0));
}
