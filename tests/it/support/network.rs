//! A network between linkgate and PostgreSQL.

use super::databases::Database;

/// A way to the database that can fall silent: what is under way then stays there.
pub(crate) struct Network {
    port: u16,
    is_silent: tokio::sync::watch::Sender<bool>,
}

impl Network {
    pub(crate) async fn before(db: &Database) -> Self {
        let url = db.url();
        let server = url.rsplit_once('@').map_or(&*url, |(_, rest)| rest);
        let server = server
            .trim_start_matches("postgres://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (is_silent, silence) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut silence) = (server.clone(), silence.clone());
                tokio::spawn(async move {
                    drop(silence.wait_for(|silent| !silent).await);
                    let mut server = tokio::net::TcpStream::connect(server).await.unwrap();
                    let silenced = async { drop(silence.wait_for(|silent| *silent).await) };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        () = silenced => std::future::pending::<()>().await,
                    }
                });
            }
        });
        Self { port, is_silent }
    }

    pub(crate) fn url(&self, db: &Database) -> String {
        let url = db.url();
        let (before, name) = url.rsplit_once('/').unwrap();
        let user = before.rsplit_once('@').map_or("postgres:/", |(user, _)| user);
        format!("{user}@127.0.0.1:{}/{name}", self.port)
    }

    pub(crate) fn go_silent(&self) {
        self.is_silent.send(true).unwrap();
    }

    pub(crate) fn come_back(&self) {
        self.is_silent.send(false).unwrap();
    }
}
