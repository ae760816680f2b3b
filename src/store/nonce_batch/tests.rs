use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use super::*;

/// Answers with the number of the batch and the nonce.
type Written = Mutex<Vec<Vec<NonceKey>>>;

async fn write(batches: &Batches<(usize, NonceKey)>, written: &Written, n: i64) -> Option<(usize, i64)> {
    let write = |keys: Vec<NonceKey>| {
        let mut written = written.lock().unwrap();
        let answers = keys.iter().map(|key| (written.len(), *key)).collect();
        written.push(keys);
        answers
    };
    let answer = batches.write((n, [0; 16]), write).await;
    answer.map(|(batch, (n, _))| (batch, n))
}

/// Polls once.
async fn begin(mut future: Pin<&mut impl Future>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn keys(written: &Written) -> Vec<Vec<i64>> {
    let written = written.lock().unwrap();
    let numbers = written.iter().map(|keys| keys.iter().map(|(n, _)| *n).collect());
    numbers.collect()
}

#[tokio::test]
async fn what_is_ready_together_is_written_together() {
    let (batches, written) = (Batches::new(), Written::default());
    let one = |n| write(&batches, &written, n);
    let answers = tokio::join!(one(5), one(3), one(5));
    assert_eq!(answers, (Some((0, 5)), Some((0, 3)), Some((0, 5))));
    assert_eq!(one(7).await, Some((1, 7)));
    assert_eq!(keys(&written), [vec![5, 3, 5], vec![7]]);
}

#[tokio::test]
async fn who_is_always_alone_does_not_look_for_others_each_time() {
    let (batches, written) = (Batches::new(), Written::default());
    let one = |n| write(&batches, &written, n);
    let mut looked = Vec::new();
    for n in 1..100 {
        let mut call = pin!(one(n));
        let at_once = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
        if at_once.is_pending() {
            looked.push(n);
            call.await.unwrap();
        }
    }
    assert_eq!(looked, [1, 2, 3, 4, 32, 64, 96]);
    assert!(keys(&written).iter().all(|keys| keys.len() == 1));
    // Company is found, and then expected.
    let company = async || tokio::join!(one(0), one(0), one(0), one(0));
    let mut batches = Vec::new();
    for _ in 0..20 {
        company().await;
        let written = keys(&written);
        batches.push(written[99..].iter().map(Vec::len).max().unwrap());
    }
    assert_eq!(
        batches.iter().filter(|&&most| most == 1).count(),
        7,
        "{batches:?}"
    );
    let before = keys(&written).len();
    company().await;
    assert_eq!(keys(&written).len(), before + 1);
}

#[tokio::test]
async fn nobody_waits_for_one_who_went_away() {
    let (batches, written) = (Batches::new(), Written::default());
    let one = |n| write(&batches, &written, n);
    for gone in 0..3 {
        let mut calls = [0, 1, 2].map(|n| Box::pin(one(10 * gone + n)));
        for call in &mut calls {
            begin(call.as_mut()).await;
        }
        for (n, call) in (0..).zip(calls) {
            if n != gone {
                let batch = usize::try_from(gone).unwrap();
                assert_eq!(call.await, Some((batch, 10 * gone + n)));
            }
        }
    }
    assert_eq!(keys(&written), [[0, 1, 2], [10, 11, 12], [20, 21, 22]]);
}

#[tokio::test]
async fn what_all_have_left_is_written_with_the_next() {
    let (batches, written) = (Batches::new(), Written::default());
    let one = |n| write(&batches, &written, n);
    {
        begin(pin!(one(1))).await;
        begin(pin!(one(2))).await;
    }
    assert_eq!(keys(&written), [[0; 0]; 0]);
    assert_eq!(one(3).await, Some((0, 3)));
    assert_eq!(keys(&written), [[1, 2, 3]]);
}

#[tokio::test]
async fn nobody_knows_what_a_writer_did_who_panicked() {
    let batches = Arc::new(Batches::new());
    let panics = {
        let batches = Arc::clone(&batches);
        tokio::spawn(async move { batches.write((1, [0; 16]), |_| panic!("as a test")).await })
    };
    let (one, other) = (Arc::clone(&batches), Arc::clone(&batches));
    let follows = tokio::spawn(async move { one.write((2, [0; 16]), |keys| keys).await });
    let (panics, follows) = tokio::join!(panics, follows);
    let outcomes = (panics.is_err(), follows.ok());
    // Whichever came back first has written for both.
    let other = other.write((3, [0; 16]), |keys| keys).await;
    assert!(
        matches!(outcomes, (true, Some(None)) | (false, Some(Some(_)))),
        "{outcomes:?}"
    );
    assert_eq!(other, Some((3, [0; 16])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn on_many_threads_everybody_gets_the_own_answer() {
    let (batches, written) = (Arc::new(Batches::new()), Arc::new(Written::default()));
    let calls: Vec<_> = (0..4_000)
        .map(|n| {
            let (batches, written) = (Arc::clone(&batches), Arc::clone(&written));
            tokio::spawn(async move { write(&batches, &written, n).await })
        })
        .collect();
    for (n, call) in (0..).zip(calls) {
        let (batch, answer) = call.await.unwrap().unwrap();
        assert_eq!(answer, n);
        assert!(written.lock().unwrap()[batch].contains(&(n, [0; 16])));
    }
    let mut all = keys(&written).concat();
    all.sort_unstable();
    assert_eq!(all, (0..4_000).collect::<Vec<_>>());
}
