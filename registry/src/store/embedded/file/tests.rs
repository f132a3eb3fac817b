//! What is done with a file that is not as it should be.

use std::collections::BTreeMap;

use codec::{Identity, RecoveryLock};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use tempfile::TempDir;

use super::{super::tests::private_place, *};
use crate::ownership::Banned;

fn owner(number: u64) -> Owner {
    Owner {
        name: format!("n{number}").parse().unwrap(),
        identity: Identity::from_secret(&[7; 32]).key(),
        recovery: RecoveryLock([5; 32]),
        earlier: Vec::new(),
        previous: Vec::new(),
        claimed_at: number,
        used_at: number,
        released_until: None,
    }
}

/// A closed file with some owners, and a ban.
fn written(owners: u64) -> TempDir {
    let folder = private_place();
    let (database, kept) = open(folder.path()).unwrap();
    assert!(kept.facts.is_empty());
    let mut facts: Vec<_> = (0..owners).map(|it| Write::Owner(owner(it))).collect();
    facts.push(Write::Ban(Ban {
        of: Banned::Name("admin".parse().unwrap()),
        since: 1,
    }));
    write_all(&database, &facts, &[]).unwrap();
    folder
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A folder in which this is the file.
fn holding(bytes: &[u8]) -> TempDir {
    let folder = private_place();
    let path = folder.path().join(FILE);
    fs::write(&path, bytes).unwrap();
    set_mode(&path, 0o600);
    folder
}

#[test]
fn the_folder_and_the_file_are_their_owners_alone() {
    let parent = private_place();
    let folder = parent.path().join("data");
    let _lock = lock(&folder).unwrap();
    let path = folder.join(FILE);
    drop(open(&folder).unwrap());
    assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
}

#[test]
fn a_file_that_others_can_read_is_refused_with_what_to_type() {
    let folder = written(3);
    let path = folder.path().join(FILE);
    for open_to_others in [0o644, 0o620, 0o606] {
        set_mode(&path, open_to_others);
        let refused = open(folder.path()).unwrap_err();
        let said = refused.to_string();
        assert!(
            said.starts_with("other users can get at the secret in "),
            "{said}"
        );
        assert!(
            said.ends_with(&format!("type: chmod 600 {}", path.display())),
            "{said}"
        );
        // What others have read is not hidden from the operator by a repair.
        assert_eq!(mode(&path), open_to_others);
    }
    set_mode(&path, 0o600);
    assert_eq!(open(folder.path()).unwrap().1.facts.len(), 4);
}

#[test]
fn a_second_program_on_the_same_data_is_refused() {
    let folder = private_place();
    let first = lock(folder.path()).unwrap();
    let refused = lock(folder.path()).unwrap_err();
    assert!(matches!(&refused, OpenError::InUse(_)));
    assert!(refused.to_string().starts_with("another registry uses "));
    drop(first);
    drop(lock(folder.path()).unwrap());
    // Also one that does not know of the lock.
    let database = open(folder.path()).unwrap();
    let refused = open(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    drop(database);
    open(folder.path()).unwrap();
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_as_it_is() {
    let folder = written(3);
    let path = folder.path().join(FILE);
    let database = reopen(&path).unwrap();
    let write = database.begin_write().unwrap();
    let mut meta = write.open_table(META).unwrap();
    meta.insert("schema", SCHEMA + 1).unwrap();
    drop(meta);
    write.commit().unwrap();
    drop(database);
    let refused = open(folder.path()).unwrap_err();
    let theirs = SCHEMA + 1;
    assert!(matches!(&refused, OpenError::TooNew { theirs: it, .. } if *it == theirs));
    assert!(
        refused
            .to_string()
            .contains("newer ramal-registry (schema 2")
    );
    let again = open(folder.path()).unwrap_err();
    assert!(matches!(again, OpenError::TooNew { .. }));
}

#[test]
fn a_file_of_schema_0_is_brought_up_to_date() {
    let folder = private_place();
    let path = folder.path().join(FILE);
    let database = Database::create(&path).unwrap();
    set_mode(&path, 0o600);
    let write = database.begin_write().unwrap();
    let mut meta = write.open_table(META).unwrap();
    meta.insert("schema", 0).unwrap();
    drop(meta);
    let mut owners = write.open_table(OWNERS).unwrap();
    for number in 0..100 {
        let (key, content) = (format!("n{number}"), postcard::to_allocvec(&owner(number)));
        owners.insert(&*key, &*content.unwrap()).unwrap();
    }
    drop(owners);
    write.commit().unwrap();
    drop(database);
    for _ in 0..2 {
        let (database, kept) = open(folder.path()).unwrap();
        let facts: BTreeMap<_, _> = kept
            .facts
            .iter()
            .map(|fact| match fact {
                Write::Owner(owner) => (owner.claimed_at, owner.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = (0..100).map(|number| (number, owner(number))).collect();
        assert_eq!(facts, expected);
        let read = database.begin_read().unwrap();
        let schema = read.open_table(META).unwrap().get("schema").unwrap();
        assert_eq!(schema.unwrap().value(), SCHEMA);
        read.open_table(MAILBOX).unwrap();
    }
}

#[test]
fn what_is_no_store_is_reported_and_never_replaced() {
    let whole = written(50);
    let whole = fs::read(whole.path().join(FILE)).unwrap();
    let half = &whole[..whole.len() / 2];
    for bytes in [&b""[..], b"no store", &[0; 8192], half, &whole[..100]] {
        let folder = holding(bytes);
        let path = folder.path().join(FILE);
        let refused = open(folder.path()).unwrap_err();
        assert!(matches!(&refused, OpenError::Damaged(..)), "{refused}");
        let text = refused.to_string();
        assert!(text.contains("names.redb is damaged") && text.contains("backup"));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_changed_byte_is_reported_or_changes_nothing() {
    let whole = written(200);
    let whole = fs::read(whole.path().join(FILE)).unwrap();
    let expected = {
        let folder = holding(&whole);
        open(folder.path()).unwrap().1.facts
    };
    assert_eq!(expected.len(), 201);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let used: Vec<_> = (0..whole.len())
        .filter(|place| whole[*place] != 0)
        .collect();
    let mut reported = 0;
    for _ in 0..150 {
        let place = used[usize::try_from(rng.next_u32()).unwrap() % used.len()];
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        let folder = holding(&changed);
        match open(folder.path()) {
            Ok((_, kept)) => assert_eq!(kept.facts, expected, "a byte changed at {place}"),
            Err(OpenError::Damaged(..)) => reported += 1,
            Err(other) => panic!("{other} at {place}"),
        }
    }
    assert!(reported > 20, "{reported} reported");
}
