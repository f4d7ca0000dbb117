//! V1 to V3: what verification costs the service.

use anyhow::{Result, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use prost::Message as _;
use std::hint::black_box;
use std::time::Duration;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::Found;
use crate::api::{self, Caller};
use crate::empty::{self, EmptyService};
use crate::h2load::{Load, Outcome};
use crate::keystead::Installation;
use crate::pb::BatchVerifyTokensRequest;
use crate::pb::empty::AnswerRequest;
use crate::pb::empty::empty_client::EmptyClient;
use crate::plot::{Plot, Series};
use crate::process::Usage;
use crate::report::{Figure, Target, median};

pub const VERIFY: &str = "/keystead.v1.AuthService/VerifyToken";
const BATCH: &str = "/keystead.v1.AuthService/BatchVerifyTokens";
const ROUNDS: usize = 5;
/// Streams on each of the four connections, for the plot; the last is the figure's.
const STREAMS: [usize; 4] = [1, 4, 16, 32];

/// V1 and V3.
pub async fn throughput() -> Result<Found> {
    let installation = Installation::sqlite()?;
    let keystead = installation.start().await?;
    let mut sessions = api::register_all(&keystead, 4).await?;
    let tokens = api::fresh_tokens(&keystead, &mut sessions, 100).await?;
    let question = api::question(&tokens[0]);
    let answer = Caller::connect(keystead.grpc).await?.verify(&tokens[0]).await?.encoded_len();
    let empty = EmptyService::start(answer).await?;
    let padding = AnswerRequest { padding: "x".repeat(empty::padding(question.encoded_len())) };
    let verify = |streams| Load::closed(keystead.grpc, VERIFY, &question, (4, streams));
    let limit = |streams| Load::closed(empty.address, empty::METHOD, &padding, (4, streams));
    let batch = BatchVerifyTokensRequest { requests: tokens.iter().map(|token| api::question(token)).collect() };
    let batch = Load::closed(keystead.grpc, BATCH, &batch, (4, 8));

    let (mut singles, mut batches) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (ours, theirs) = (verify(32).run().await?, limit(32).run().await?);
        is_as_long(&ours, answer)?;
        is_as_long(&theirs, answer)?;
        let many = batch.run().await?;
        ensure!(many.answer > 100 * answer, "the batch is answered in full");
        singles.push((ours.rate, theirs.rate));
        batches.push((many.rate * 100.0, ours.rate));
    }
    let mut lines = [Vec::new(), Vec::new()];
    for streams in STREAMS {
        let across = streams_as_number(4 * streams);
        lines[0].push((across, verify(streams).run().await?.rate));
        lines[1].push((across, limit(streams).run().await?.rate));
    }
    Ok(Found { figures: throughput_figures(singles, batches), plots: vec![throughput_plot(lines)] })
}

fn throughput_figures(singles: Vec<(f64, f64)>, batches: Vec<(f64, f64)>) -> Vec<Figure> {
    let what = "VerifyToken of a token seen before, 4 x 32 streams, against an empty call on bare tonic";
    let batch = "tokens by BatchVerifyTokens of 100, against V1's";
    vec![
        Figure { id: "V1", what, unit: "/s", target: Target::AtLeast(0.9), rounds: singles },
        Figure { id: "V3", what: batch, unit: "/s", target: Target::AtLeast(10.0), rounds: batches },
    ]
}

fn throughput_plot([ours, limit]: [Vec<(f64, f64)>; 2]) -> Plot {
    Plot {
        file: "throughput.svg",
        title: "VerifyToken against an empty call on bare tonic",
        across: "calls at once, on four connections",
        upwards: "calls a second",
        series: vec![
            Series { name: "VerifyToken".to_owned(), points: ours },
            Series { name: "empty call".to_owned(), points: limit },
        ],
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds")]
fn streams_as_number(streams: usize) -> f64 {
    streams as f64
}

/// Whoever answers something shorter, as an error is, has not done the work.
fn is_as_long(outcome: &Outcome, answer: usize) -> Result<()> {
    ensure!(outcome.answer.abs_diff(answer) <= 4, "answers of {} bytes, not {answer}", outcome.answer);
    Ok(())
}

/// V2: by processor time, for which no load has to fill the machine.
pub async fn unseen() -> Result<Found> {
    const CALLS: usize = 2_000;
    let keystead = Installation::sqlite()?.start().await?;
    let mut sessions = api::register_all(&keystead, 8).await?;
    let tokens = api::fresh_tokens(&keystead, &mut sessions, CALLS * 3).await?;
    let mut caller = Caller::connect(keystead.grpc).await?;
    let question = api::question(&sessions[0].access_token).encoded_len();
    let answer = caller.verify(&sessions[0].access_token).await?.encoded_len();
    let empty = EmptyService::start(answer).await?;
    let mut limit = EmptyClient::connect(format!("http://{}", empty.address)).await?;
    let mut rounds = Vec::new();
    for tokens in tokens.chunks(CALLS) {
        let before = empty.usage()?;
        answer_all(&mut limit, question, tokens.len()).await?;
        let plain = cost(before, empty.usage()?, tokens.len());
        let before = keystead.usage()?;
        verify_all(&mut caller, tokens).await?;
        let verified = cost(before, keystead.usage()?, tokens.len());
        rounds.push((verified, plain + raw_signature_check()?));
    }
    let what = "processor time of VerifyToken of a token never seen, against an empty call and a raw ES256 check";
    let figure = Figure { id: "V2", what, unit: "us", target: Target::AtMost(1.3), rounds };
    Ok(Found { figures: vec![figure], plots: Vec::new() })
}

async fn answer_all(client: &mut EmptyClient<Channel>, message: usize, calls: usize) -> Result<()> {
    let padding = "x".repeat(empty::padding(message));
    for _ in 0..calls {
        client.answer(AnswerRequest { padding: padding.clone() }).await?;
    }
    Ok(())
}

async fn verify_all(caller: &mut Caller, tokens: &[String]) -> Result<()> {
    for token in tokens {
        ensure!(caller.accepts(token).await?, "a good token");
    }
    Ok(())
}

/// Microseconds a call.
#[expect(clippy::cast_precision_loss, reason = "some thousands of calls")]
fn cost(before: Usage, after: Usage, calls: usize) -> f64 {
    after.processor.saturating_sub(before.processor).as_secs_f64() * 1e6 / calls as f64
}

/// Microseconds of one ES256 check of a message as long as a token.
pub fn raw_signature_check() -> Result<f64> {
    const CHECKS: u32 = 1_000;
    let random = aws_lc_rs::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let message = [b'x'; 420];
    let signature = pair.sign(&random, &message)?;
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
    let public = public.parse()?;
    let mut spans = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        for _ in 0..CHECKS {
            public.verify_sig(black_box(&message), black_box(signature.as_ref()))?;
        }
        spans.push(micros(begun.elapsed()) / f64::from(CHECKS));
    }
    Ok(median(&spans))
}

pub fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}
