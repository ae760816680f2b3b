//! Whether nonces stay bounded: many windows' worth of them at full rate, with a clock that is not waited for.
//!
//!     cargo bench --bench windows -- [RATE [MINUTES [STORE_URL]]]
//!
//! RATE is nonces a second (20000), MINUTES how long it goes on (110, ten windows of eleven minutes). `STORE_URL` is an empty
//! database; without it, one in SQLite is made and deleted. Each line says what is there at the end of a minute: what the
//! files of SQLite hold, what the process holds in memory, and how long a nonce took.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use std::env::args;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use linkgate::clock::Clock;
use linkgate::oauth::{Timestamp, TimestampWindow};
use linkgate::store::{Keyring, Store, StoreConfig};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

fn main() {
    // What cargo passes on is not ours.
    let mut said = args().skip(1).filter(|argument| argument != "--bench");
    let rate: u64 = said.next().map_or(20_000, |rate| rate.parse().unwrap());
    let minutes: i64 = said.next().map_or(110, |minutes| minutes.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = said
        .next()
        .unwrap_or_else(|| format!("sqlite://{}/linkgate.db", folder.path().display()));
    Runtime::new().unwrap().block_on(run(rate, minutes, url, &folder));
}

async fn run(rate: u64, minutes: i64, url: String, folder: &TempDir) {
    let options = StoreConfig {
        max_connections: 4_u32.try_into().unwrap(),
        ..StoreConfig::new(url)
    };
    let keyring = Arc::new(Keyring::generate(&mut UnwrapErr(SysRng)));
    let store = Store::open(&options, keyring, Clock::System.now()).await.unwrap();
    for minute in 0..minutes {
        let (now, begun) = (START.plus(60 * minute), Instant::now());
        let new = bring(&store, now, rate * 60).await;
        let each = begun.elapsed().as_nanos() / u128::from(new.max(1));
        let begun = Instant::now();
        store.sweep(now, TimestampWindow::default()).await.unwrap();
        println!(
            "minute {minute}: {new} new in {each} ns each; swept in {} ms; {} MB in files, {} MB in memory",
            begun.elapsed().as_millis(),
            megabytes_in(folder.path()),
            resident_megabytes(),
        );
    }
    store.close().await;
}

/// Writes about so many nonces of a minute, for many callers at once; says how many were new.
async fn bring(store: &Store, now: Timestamp, nonces: u64) -> u64 {
    let mut callers = JoinSet::new();
    let share = nonces / CALLERS;
    for caller in 0..CALLERS {
        let store = store.clone();
        callers.spawn(async move {
            let mut new = 0;
            for n in caller * share..(caller + 1) * share {
                new += u64::from(
                    store
                        .record_nonce(
                            now,
                            digest(now, n),
                            now,
                            tokio::time::Instant::now() + Duration::from_secs(5),
                        )
                        .await
                        .unwrap(),
                );
            }
            new
        });
    }
    callers.join_all().await.into_iter().sum()
}

/// As good as a hash: spread evenly, and never twice the same.
fn digest(now: Timestamp, n: u64) -> [u8; 16] {
    let mixed = (u128::from(n) << 64 | u128::from(now.seconds().unsigned_abs()))
        .wrapping_mul(0x2d35_8dcc_aa6c_78a5_8bb8_4b93_962e_acc9);
    (mixed ^ mixed >> 64)
        .wrapping_mul(0xda94_2042_e4dd_58b5_2d35_8dcc_aa6c_78a5)
        .to_be_bytes()
}

fn megabytes_in(folder: &Path) -> u64 {
    let Ok(files) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.sum::<u64>() / 1_000_000
}

fn resident_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
    kibibytes * 1_024 / 1_000_000
}

const START: Timestamp = Timestamp::from_seconds(1_700_000_040);

/// Calls that wait for the store at the same time.
const CALLERS: u64 = 256;
