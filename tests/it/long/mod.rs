//! What takes minutes (`tests/run --long`). An oracle knows which answers a request may have, and counts them.

mod kills;
mod soak;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The status of the answer and its problem; `none` if the program ended before.
async fn answer(to: SocketAddr, bytes: Vec<u8>) -> String {
    let mut answer = Vec::new();
    if let Ok(mut socket) = TcpStream::connect(to).await {
        let _ = socket.write_all(&bytes).await;
        let _ = socket.read_to_end(&mut answer).await;
    }
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).unwrap_or("none");
    let problem = answer
        .split("oauth_problem=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    problem.map_or(status.to_owned(), |problem| format!("{status} {problem}"))
}
