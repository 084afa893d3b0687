//! Every law holds for every seed; among the seeds is each input that has broken one before.

#![expect(clippy::unwrap_used, reason = "tests")]

use nearfront_fuzz::laws;
use std::{fs, path::Path};

/// Feeds the seeds of this folder.
fn hold(name: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut count = 0;
    for seed in fs::read_dir(&folder).unwrap() {
        let path = seed.unwrap().path();
        println!("{}", path.display()); // the last one of a failure
        law(&fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} has no seeds", folder.display());
}

macro_rules! seeds {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            hold(stringify!($name), laws::$name::hold);
        })*

        #[test]
        fn every_folder_of_seeds_is_fed() {
            let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).unwrap();
            let mut found: Vec<_> = folders
                .map(|folder| folder.unwrap().file_name().into_string().unwrap())
                .collect();
            found.sort();
            let mut known = vec![$(stringify!($name)),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

seeds! { accept_encoding cache_control dates heads hosts plain_requests ranges structured_fields }
