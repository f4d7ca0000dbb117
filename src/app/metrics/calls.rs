//! Calls of both edges.

use super::{Edges, count};
use crate::telemetry::exposition::Kind::{Counter, Histogram};
use crate::telemetry::exposition::{Page, number};

pub fn tell(page: &mut Page, edges: &Edges) {
    tell_grpc(page, edges);
    tell_http(page, edges);
}

fn tell_grpc(page: &mut Page, edges: &Edges) {
    let readings: Vec<_> = edges.grpc.read().collect();
    let help = "Calls, by method and by the code that they ended with; a stream counts when it begins.";
    let mut requests = page.family(Counter, "keystead_grpc_requests_total", help);
    for reading in &readings {
        for (code, seen) in &reading.ends {
            requests.sample(&[("method", reading.method), ("code", code)], number(*seen));
        }
    }
    let help = "Time from a call's headers to its answer's, of every method that has been called.";
    let mut durations = page.family(Histogram, "keystead_grpc_request_duration_seconds", help);
    for reading in readings.iter().filter(|reading| reading.durations.count > 0) {
        let seen = &reading.durations;
        durations.histogram(&[("method", reading.method)], &seen.buckets, seen.count, seen.sum);
    }
    let (open, most) = (count(edges.connections.open()), count(edges.connections.most()));
    page.gauge("keystead_grpc_connections", "Open gRPC connections.", open);
    page.gauge("keystead_grpc_connections_max", "gRPC connections that may be open at once.", most);
}

fn tell_http(page: &mut Page, edges: &Edges) {
    let readings = edges.http.read();
    let help = "HTTP requests, by the path of the endpoint and by status.";
    let mut requests = page.family(Counter, "keystead_http_requests_total", help);
    for reading in &readings {
        for (status, seen) in &reading.statuses {
            requests.sample(&[("path", &reading.path), ("status", &status.to_string())], number(*seen));
        }
    }
    let help = "Time from an HTTP request's headers to its answer's.";
    let mut durations = page.family(Histogram, "keystead_http_request_duration_seconds", help);
    for reading in &readings {
        let seen = &reading.durations;
        durations.histogram(&[("path", &reading.path)], &seen.buckets, seen.count, seen.sum);
    }
}
