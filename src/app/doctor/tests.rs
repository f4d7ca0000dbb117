//! What is made of what was found, where no test can make a machine that it is found on.

use super::*;
use crate::config::sources::Sources;
use crate::domain::clock::Timestamp;
use crate::store::{db, redis as store};

const MIB: u64 = 1 << 20;

// promise C1
#[test]
fn a_clock_is_off_by_what_the_way_there_and_back_does_not_explain() {
    let verdict = |told: i64| {
        let (before, after) = (Timestamp::from_millis(10_000), Timestamp::from_millis(10_500));
        database::drift(before, Timestamp::from_millis(told), after).verdict
    };
    for (told, expected) in [
        (7_999, Verdict::Fail),
        (8_000, Verdict::Ok),
        (10_200, Verdict::Ok),
        (12_500, Verdict::Ok),
        (12_501, Verdict::Fail),
    ] {
        assert_eq!(verdict(told), expected, "{told}");
    }
}

#[test]
fn a_disk_that_is_nearly_full_is_told_before_it_stops_anything() {
    for (free, expected) in [
        (0, Verdict::Fail),
        (64 * MIB - 1, Verdict::Fail),
        (64 * MIB, Verdict::Warn),
        (1_024 * MIB - 1, Verdict::Warn),
        (1_024 * MIB, Verdict::Ok),
    ] {
        assert_eq!(files::room(free).verdict, expected, "{free}");
    }
}

#[test]
fn a_redis_that_is_slow_forgetful_or_not_all_there_is_a_warning() {
    let timeout = Duration::from_millis(100);
    let good = store::Inspection {
        version: None,
        eviction: Some("noeviction".to_owned()),
        is_encrypted: true,
        latency: timeout,
        nodes: 3,
        answering: 3,
    };
    assert_eq!(redis::judge(&good, timeout).verdict, Verdict::Ok);
    assert_eq!(redis::judge(&store::Inspection { eviction: None, ..good.clone() }, timeout).verdict, Verdict::Ok);
    for (bad, remedy) in [
        (store::Inspection { answering: 2, ..good.clone() }, "start the others"),
        (store::Inspection { latency: timeout + Duration::from_millis(1), ..good.clone() }, "bring it nearer"),
        (store::Inspection { eviction: Some("allkeys-lru".to_owned()), ..good.clone() }, "maxmemory-policy"),
    ] {
        let finding = redis::judge(&bad, timeout);
        assert_eq!(finding.verdict, Verdict::Warn, "{bad:?}");
        assert!(finding.remedy.contains(remedy), "{finding:?}");
    }
}

fn on_postgres(host: &str) -> Settings {
    let file = format!(
        "keys.master_key = 'a2V5c3RlYWQtdGVzdHMtbWFzdGVyLWtleS0zMi1ieXQ='\n[database]\nallow_weak_tls = true\nurl = \
         'postgres://keystead@{host}/keystead?sslmode=disable'"
    );
    Settings::load(Sources { file: Some(file), ..Sources::default() }).unwrap()
}

#[test]
fn a_database_that_lets_nobody_in_may_be_away_or_have_no_connection_left() {
    let finding = database::unreachable(&on_postgres("127.0.0.1"), db::NO_CONNECTION);
    assert_eq!(finding.verdict, Verdict::Fail);
    for remedy in ["start the server", "host and port", "max_connections"] {
        assert!(finding.remedy.contains(remedy), "{finding:?}");
    }
}

// promise S5
#[test]
fn a_database_over_the_network_in_clear_text_is_a_warning() {
    let inspection = |encryption: Option<&str>| db::Inspection {
        product: "PostgreSQL 17".to_owned(),
        encryption: encryption.map(str::to_owned),
        unwritable: None,
        schema: db::SchemaState::Current,
    };
    let (near, far) = (on_postgres("127.0.0.1"), on_postgres("db.example.com"));
    assert_eq!(database::server(&near, &inspection(None)).verdict, Verdict::Ok);
    assert_eq!(database::server(&far, &inspection(Some("TLSv1.3"))).verdict, Verdict::Ok);
    assert_eq!(database::server(&far, &inspection(None)).verdict, Verdict::Warn);
    let standby = db::Inspection { unwritable: Some("it is a standby"), ..inspection(Some("TLSv1.3")) };
    assert_eq!(database::server(&far, &standby).verdict, Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_judged_by_what_the_service_makes_of_silence() {
    for silence in [Verdict::Warn, Verdict::Fail] {
        let begun = tokio::time::Instant::now();
        let finding = bounded("clock", silence, std::future::pending()).await;
        assert_eq!(begun.elapsed(), TIMEOUT);
        assert_eq!((finding.check, finding.verdict), ("clock", silence));
        assert!(!finding.remedy.is_empty(), "{finding:?}");
    }
    let found = bounded("clock", Verdict::Fail, async { Finding::ok("clock", "in time") }).await;
    assert_eq!(found.verdict, Verdict::Ok);
}
