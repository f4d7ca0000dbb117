//! The script against the algorithm that it has to be, on a clock in the test's hands.

use std::time::Duration;

use deadpool_redis::redis::Script;
use deadpool_redis::redis::aio::MultiplexedConnection;
use keystead::domain::clock::Timestamp;
use keystead::domain::throttle::{Arrival, Limit, judge};

use super::connection;
use crate::support::redis::RedisServer;

const STEPS: usize = 2_000;
/// Longer than the test takes: nothing expires by the server's clock, which is not the one that counts here.
const PERIODS: [u64; 2] = [60_000, 61_234];
const BURSTS: [u32; 2] = [3, 5];

/// The production script, but told the time.
fn told_the_time() -> Script {
    let code = include_str!("../../../src/store/redis/throttle.lua");
    let told = code.replace("redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}");
    assert_ne!(told, code, "the script asks for the time in other words now");
    Script::new(&told)
}

async fn by_script(script: &Script, redis: &mut MultiplexedConnection, now: i64) -> (usize, u64) {
    let mut invocation = script.prepare_invoke();
    for (index, (period, burst)) in PERIODS.into_iter().zip(BURSTS).enumerate() {
        invocation.key(format!("bucket-{index}")).arg(period).arg(period * u64::from(burst));
    }
    invocation.arg(now / 1_000).arg(now % 1_000 * 1_000).invoke_async(redis).await.expect("a verdict")
}

/// All or none, the longest wait first: what both throttles do with the verdicts of `judge`.
fn by_judge(arrivals: &mut [Option<Timestamp>; 2], now: i64) -> (usize, u64) {
    let now = Timestamp::from_millis(now);
    let (mut longest, mut counted) = ((0, 0), *arrivals);
    for (index, (period, burst)) in PERIODS.into_iter().zip(BURSTS).enumerate() {
        match judge(Limit { burst, period: Duration::from_millis(period) }, arrivals[index], now) {
            Arrival::Conforms(arrival) => counted[index] = Some(arrival),
            Arrival::TooEarly(wait) => {
                let wait = u64::try_from(wait.as_millis()).expect("a short wait");
                longest = if longest.1 < wait { (index + 1, wait) } else { longest };
            }
        }
    }
    if longest.0 == 0 {
        *arrivals = counted;
    }
    longest
}

#[tokio::test]
async fn the_script_and_the_domain_give_the_same_verdicts() {
    // promise L1
    let server = RedisServer::start();
    let mut redis = connection(&server.url()).await;
    let script = told_the_time();
    let (mut now, mut arrivals, mut seed) = (1_700_000_000_000, [None; 2], 42_u32);
    let mut limited = 0;
    for step in 0..STEPS {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        now += i64::from(seed >> 16);
        let expected = by_judge(&mut arrivals, now);
        assert_eq!(by_script(&script, &mut redis, now).await, expected, "step {step} at {now}");
        limited += usize::from(expected.0 > 0);
    }
    assert!((STEPS / 10..STEPS * 9 / 10).contains(&limited), "one-sided: {limited} of {STEPS} were limited");
}
