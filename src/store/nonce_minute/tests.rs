use std::fs;

use super::*;

fn digest(n: u8) -> Digest {
    [n; ENTRY]
}

fn several(minute: &mut Minute, digests: &[u8]) -> (Vec<Option<bool>>, io::Result<()>) {
    let mut new = vec![None; digests.len()];
    let digests: Vec<_> = digests.iter().copied().map(digest).collect();
    let written = minute.remember(&digests, &mut new);
    (new, written)
}

fn one(minute: &mut Minute, n: u8) -> bool {
    let (new, written) = several(minute, &[n]);
    written.unwrap();
    new[0].unwrap()
}

#[test]
fn of_equal_ones_in_a_batch_the_first_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    let opened = [Minute::open(&path).unwrap(), Minute::in_memory()];
    for mut minute in opened {
        for (digests, expected) in [
            (&[1, 2, 1][..], &[true, true, false][..]),
            (&[3, 1, 3, 4, 2], &[true, false, false, true, false]),
            (&[2, 3], &[false, false]),
            (&[], &[]),
        ] {
            let (new, written) = several(&mut minute, digests);
            written.unwrap();
            assert_eq!(new, expected.iter().copied().map(Some).collect::<Vec<_>>());
        }
        assert_eq!(minute.len(), 4);
    }
}

#[test]
fn batches_of_several_writers_are_compared_entry_by_entry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    let [mut here, mut there] = [(); 2].map(|()| Minute::open(&path).unwrap());
    let (new, _) = several(&mut here, &[1, 2, 3]);
    assert_eq!(new, [Some(true); 3]);
    let (new, _) = several(&mut there, &[4, 2, 5, 1]);
    assert_eq!(new, [Some(true), Some(false), Some(true), Some(false)]);
    let (new, _) = several(&mut here, &[5, 6, 4, 3]);
    assert_eq!(new, [Some(false), Some(true), Some(false), Some(false)]);
    assert_eq!((here.len(), there.len()), (6, 5));
}

/// A disk that takes a batch in pieces.
struct Pieces(io::Cursor<Vec<u8>>, Vec<usize>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = self.1.pop().unwrap_or(usize::MAX);
        self.0.write(&bytes[..bytes.len().min(piece)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn only_whole_entries_in_their_places_count() {
    let digests = [1, 2, 3].map(digest);
    for (there, pieces, expected) in [
        (0, vec![], (0, 3)),
        (32, vec![], (32, 3)),
        // A part of an entry was there, and is filled up with what was written over it.
        (5, vec![], (64, 3)),
        // Room for one, and for one and a half.
        (16, vec![16], (16, 1)),
        (16, vec![24], (16, 1)),
        // Not even for one.
        (16, vec![7], (32, 3)),
        (5, vec![11], (16, 3)),
    ] {
        let mut cursor = io::Cursor::new(vec![0xff; there]);
        cursor.set_position(there as u64);
        let mut disk = Pieces(cursor, pieces);
        let (start, whole) = append(&mut disk, &digests).unwrap();
        assert_eq!((start, whole), expected, "{there}");
        let start = usize::try_from(start).unwrap();
        let entries = &disk.0.get_ref()[start..][..whole * ENTRY];
        assert_eq!(entries, digests[..whole].as_flattened());
    }
}

/// What the operating system does at the end of a full disk, in a process that may not write more than 512 or 1024
/// bytes into a file.
#[test]
fn what_the_disk_had_no_room_for_is_not_known() {
    let Some(path) = std::env::var_os("LINKGATE_TEST_SMALL_FILE") else {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let name = "store::nonce_minute::tests::what_the_disk_had_no_room_for_is_not_known";
        let again = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env("LINKGATE_TEST_SMALL_FILE", &path)
            .output()
            .unwrap();
        assert!(again.status.success(), "{again:?}");
        let written = fs::metadata(&path).unwrap().len();
        assert!(matches!(written, 512 | 1024), "{written}: {again:?}");
        return;
    };
    let mut minute = Minute::open(path.as_ref()).unwrap();
    let (new, written) = several(&mut minute, &(0..100).collect::<Vec<_>>());
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    let room = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap() / ENTRY;
    assert!(new[..room].iter().all(|new| *new == Some(true)) && room > 0);
    assert!(new[room..].iter().all(Option::is_none) && room < 100);
    let (new, written) = several(&mut minute, &[1, 99]);
    assert_eq!(new, [Some(false), None]);
    assert!(written.is_err());
    assert!(!one(&mut Minute::open(path.as_ref()).unwrap(), 1));
}

#[test]
fn a_part_of_an_entry_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    let mut minute = Minute::open(&path).unwrap();
    for n in 0..20 {
        assert!(one(&mut minute, 2 * n));
        let torn = vec![0xff; usize::from(n)];
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(&torn)
            .unwrap();
        assert!(one(&mut minute, 2 * n + 1));
    }
    let mut again = Minute::open(&path).unwrap();
    for n in 0..40 {
        assert!(!one(&mut minute, n));
        assert!(!one(&mut again, n), "{n}");
    }
}

#[test]
fn of_several_writers_one_is_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    let mut minutes = [(); 3].map(|()| Minute::open(&path).unwrap());
    for n in 0..200 {
        let first = usize::from(n) % 3;
        for writer in [first, (first + 1) % 3, first, (first + 2) % 3] {
            let new = one(&mut minutes[writer], n);
            assert_eq!(
                new,
                writer == first && fs::metadata(&path).unwrap().len() % 48 == 16
            );
        }
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut minute = Minute::open(&path).unwrap();
    for _ in 0..2 {
        let (new, written) = several(&mut minute, &[1, 2]);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(new, [None, None]);
    }
    assert_eq!(minute.len(), 0);
}
