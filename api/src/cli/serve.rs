//! `kimlik serve`: feed, accounts and GraphQL, until it is told to stop.
use crate::config::{Config, Fault, Faults, check::plain, secrets};
use crate::wiring::FIRST_ADMINISTRATOR;
use crate::work::voice::Voice;
use crate::{http, work};
use std::net::SocketAddr;
use std::sync::Arc;

pub async fn serve(config: Arc<Config>, is_demo: bool) -> anyhow::Result<u8> {
    let listen = config.server.listen;
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| {
        let mend = "write another address, or end what listens there: KIMLIK__SERVER__LISTEN=127.0.0.1:8081 kimlik";
        Faults(vec![Fault::new("server.listen", format!("{listen}: {}", plain(&e)), mend)])
    })?;
    let listen = listener.local_addr()?;
    let metrics = match config.metrics.listen {
        Some(address) => Some(tokio::net::TcpListener::bind(address).await.map_err(|e| {
            let mend = "write another address, or none: then nothing is told";
            Faults(vec![Fault::new("metrics.listen", format!("{address}: {}", plain(&e)), mend)])
        })?),
        None => None,
    };
    let stop = work::stop_on_signal()?;
    let voice = Arc::new(Voice::new(is_demo));
    let house = super::house(config).await?;
    if is_demo {
        welcome(&voice, &house.config, listen);
    } else {
        if house.config.directory.is_embedded() {
            let file = secrets::first_password_file(&house.config);
            tracing::info!(user = FIRST_ADMINISTRATOR, password = %format!("stands in {}", file.display()), "the embedded directory's administrator");
        }
        tracing::info!(%listen, database = house.config.database.shown(), directory = ?house.config.directory.kind, hr = ?house.config.hr.source, "Kimlik serves");
    }
    let loops = work::start(&house, &voice, &stop);
    if let Some(listener) = metrics {
        tracing::info!(metrics = %listener.local_addr()?, "figures are told at /metrics");
        let (router, stopped) = (http::metrics::router(house.clone()), stop.clone());
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned()).await });
    }
    let router = http::router(house, stop.clone());
    let stopped = stop.clone();
    let served = tokio::spawn(async move {
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(stopped.cancelled_owned())
            .await
    });
    work::until_stopped(loops, &stop).await;
    // Why a limit: a client that keeps its connection open must not keep Kimlik from ending.
    tokio::time::timeout(std::time::Duration::from_secs(2), served).await.ok();
    voice.say("Kimlik   stopped; it goes on where it was when it is started again");
    Ok(0)
}

fn welcome(voice: &Voice, config: &Config, listen: SocketAddr) {
    let people = config.hr.simulated.people;
    voice.say(&format!("Kimlik with a simulated ministry of about {people} people: head office and 81 provinces."));
    voice.say("Nobody in it is real. The directory is embedded; everything lies under ./var.");
    voice.say("");
    voice.say(&format!("  Look at it   http://{listen}/graphiql"));
    if let Ok(password) = secrets::read(&secrets::first_password_file(config), "secrets.dir", "start Kimlik anew") {
        voice.say(&format!("  Sign in      {FIRST_ADMINISTRATOR} with the password {}", password.as_str()));
    }
    voice.say(&format!("  Passwords    http://{listen}/parola (the newcomers' codes stand in their messages)"));
    voice.say("  Other words  kimlik plan, kimlik holds list, kimlik issues list, kimlik --help");
    voice.say("  To end it    Ctrl-C");
    voice.say("");
}
