//! What of a connection's requests may be done now, and what counts as a guess.
//!
//! Somebody who tries names out must not learn more from being refused than from an answer: once
//! guesses are used up, a name that is there is refused like one that is not.

use std::time::Instant;

use codec::{
    IdentityKey, Name,
    greeting::Unwelcome,
    registry::{Refusal, Watch},
};

use super::{
    Shared,
    connection::Place,
    rates::{Asker, Deed},
};
use crate::{
    session::{Answered, Ask},
    store::{Moment, Store},
};

/// What a question is about, as far as it concerns who has which name.
#[derive(Debug)]
enum About {
    /// Where somebody is, for whoever asks.
    Whereabouts(Name),
    /// A name that is, or is to be, the asker's own.
    Own(Name),
    Other,
}

impl About {
    fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Lookup(name) => Self::Whereabouts(name.clone()),
            Ask::Forward(envelope) => Self::Whereabouts(envelope.to.name.clone()),
            Ask::Register(registration) => Self::Own(registration.name.clone()),
            Ask::Refresh(renewal, _) | Ask::Unregister(renewal) => Self::Own(renewal.name.clone()),
            Ask::Release(name, _) => Self::Own(name.clone()),
            Ask::ChangeKey(change) => Self::Own(change.name.clone()),
            _ => Self::Other,
        }
    }
}

impl<S: Store> Shared<S> {
    /// Answers a question, unless it was asked too often.
    pub(super) async fn permitted(&self, ask: Ask, place: &mut Place) -> Answered {
        let at = Moment::now();
        let (now, asker, about) = (at.now, place.asker(), About::of(&ask));
        self.traffic.add(&ask);
        let drawn = match self.permit(&ask, asker, now) {
            Ok(drawn) => drawn,
            Err(refusal) => return Answered::Refused(refusal),
        };
        let answered = self.answer(ask, place, at).await;
        if let (Some(Deed::Claim), Answered::Register(Err(refusal))) = (drawn, &answered) {
            self.rates.give_back(Deed::Claim, asker);
            // But which names look like one that is taken, and which codes invite, is not to be
            // tried out.
            if let Refusal::LooksTaken | Refusal::NotInvited = refusal
                && let Err(too_fast) = self.rates.draw(Deed::Guess, asker, now)
            {
                return Answered::Refused(too_fast);
            }
        }
        match self.count_failed(&about, &answered, asker, now) {
            Ok(()) => answered,
            Err(refusal) => Answered::Refused(refusal),
        }
    }

    /// Whether a phone of `identity` is served; if so, it is here from now on.
    pub(super) fn greet(
        &self,
        identity: IdentityKey,
        place: &mut Place,
        now: Instant,
    ) -> Result<(), Unwelcome> {
        let asker = Asker {
            identity: Some(identity),
            ..place.asker()
        };
        let drawn = self.rates.draw(Deed::Greeting, asker, now);
        drawn.map_err(|_| Unwelcome::TooFast)?;
        place.identity = Some(identity);
        let outbox = place.outbox().clone();
        // First here, then asked: a ban between the two ends what is here.
        self.present.join(identity, place.id, place.peer, outbox);
        match self.store.is_banned(&identity) {
            true => Err(Unwelcome::Banned),
            false => Ok(()),
        }
    }

    /// Counts what is asked for, before it is looked what the answer is. Returns what does not
    /// count after all if it comes to nothing.
    fn permit(&self, ask: &Ask, asker: Asker, now: Instant) -> Result<Option<Deed>, Refusal> {
        let draw = |deed| self.rates.draw(deed, asker, now);
        let allows = |deed| self.rates.allows(deed, asker, now);
        match ask {
            Ask::Register(registration) => {
                draw(Deed::Registration)?;
                let owner = self.owner(&registration.name);
                if owner == Some(registration.card.identity) {
                    return Ok(None);
                }
                // Both, whichever it is, so that the refusal does not tell which it is.
                allows(Deed::Claim)?;
                allows(Deed::Guess)?;
                if owner.is_none() {
                    draw(Deed::Claim)?;
                    return Ok(Some(Deed::Claim));
                }
            }
            Ask::Refresh(..) | Ask::Unregister(_) => draw(Deed::Registration)?,
            Ask::Release(..) | Ask::ChangeKey(_) => draw(Deed::Ownership)?,
            Ask::Recover(_) => {
                allows(Deed::WrongCode)?;
                draw(Deed::Ownership)?;
            }
            Ask::Lookup(_) => allows(Deed::Guess)?,
            Ask::Forward(_) => {
                draw(Deed::Envelope)?;
                allows(Deed::Guess)?;
            }
            Ask::Watch(Watch::Names(names)) => {
                allows(Deed::Guess)?;
                for name in names.iter() {
                    if self.owner(name).is_none() {
                        draw(Deed::Guess)?;
                    }
                }
            }
            _ => {}
        }
        Ok(None)
    }

    /// Counts what has gone wrong, if that was a guess at a name or a code. A person who is known
    /// and not there is none.
    fn count_failed(
        &self,
        about: &About,
        answered: &Answered,
        asker: Asker,
        now: Instant,
    ) -> Result<(), Refusal> {
        use Refusal::{BadRecovery, NameTaken, NotFound};
        let guessed = match (about, answered) {
            (_, Answered::Recover(Err(BadRecovery | NotFound))) => {
                return self.rates.draw(Deed::WrongCode, asker, now);
            }
            (
                About::Whereabouts(name),
                Answered::Lookup(Err(NotFound)) | Answered::Forward(Err(NotFound)),
            ) => self.owner(name).is_none(),
            (
                About::Own(name),
                Answered::Register(Err(NameTaken))
                | Answered::Refresh(Err(NotFound | NameTaken))
                | Answered::Unregister(Err(NotFound | NameTaken))
                | Answered::Release(Err(NotFound | NameTaken))
                | Answered::ChangeKey(Err(NotFound | NameTaken)),
            ) => self.owner(name) != asker.identity,
            _ => false,
        };
        match guessed {
            true => self.rates.draw(Deed::Guess, asker, now),
            false => Ok(()),
        }
    }

    /// Whose a name is, whether it is registered or not.
    fn owner(&self, name: &Name) -> Option<IdentityKey> {
        // The name itself comes before all that only begin like it.
        let (first, _) = self.store.owners(name.folded(), 1);
        let owner = first.first().filter(|owner| owner.name == *name)?;
        Some(owner.identity)
    }
}
