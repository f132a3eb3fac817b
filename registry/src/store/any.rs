//! A store of either kind, where which one it is was chosen when the program started.

use codec::{Name, registry::Refusal};

use super::{
    EmbeddedStore, MemoryStore,
    names::{KeepsNames, Names},
};

/// One of the stores.
#[derive(Debug)]
pub enum AnyStore {
    /// Forgets everything when the program ends.
    Memory(MemoryStore),
    /// Keeps everything in one file.
    Embedded(EmbeddedStore),
}

impl KeepsNames for AnyStore {
    fn names<T>(&self, act: impl FnOnce(&mut Names) -> T) -> T {
        match self {
            Self::Memory(store) => store.names(act),
            Self::Embedded(store) => store.names(act),
        }
    }

    async fn settled<T: Send>(
        &self,
        name: Option<&Name>,
        act: impl FnOnce(&mut Names) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        match self {
            Self::Memory(store) => store.settled(name, act).await,
            Self::Embedded(store) => store.settled(name, act).await,
        }
    }
}
