//! The compose files: read by Compose, and held against what the image, the load balancer and the
//! configuration say. What is written in them is what our own reading of the configuration takes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use parlor_server::config::{Config, Raw};
use serde_json::Value;

use super::dockerfile::{Step, stages};
use super::{root, text_of};

const ONE: &str = "compose.yaml";
const MANY: &str = "compose.scale.yaml";
const NODES: [&str; 3] = ["node1", "node2", "node3"];

/// What stands in `.env`.
const SECRETS: [(&str, &str); 3] = [
    ("POSTGRES_PASSWORD", "apasswordofpostgres"),
    ("REDIS_PASSWORD", "apasswordofredis"),
    ("PARLOR_SECRET_KEY", "a secret of thirty-two characters or more"),
];

fn secret(name: &str) -> Option<&'static str> {
    SECRETS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn read(name: &str) -> Value {
    serde_saphyr::from_str(&text_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A text with what stands for its variables: `${A:-default}`, `${A:?why}`; `$$` is a `$`.
fn filled(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            (out, rest) = (out + "$", after);
            continue;
        }
        let (inside, after) = rest.strip_prefix('{').and_then(|r| r.split_once('}')).unwrap();
        out += &match inside.split_once(':').unwrap_or((inside, "?")) {
            (name, _) if secret(name).is_some() => secret(name).unwrap().to_owned(),
            (_, default) if default.starts_with('-') => default[1..].to_owned(),
            (name, _) => panic!("{name} has no default and is not known to be a secret"),
        };
        rest = after;
    }
    out + rest
}

fn environment(service: &Value) -> BTreeMap<String, String> {
    let of = service["environment"].as_object().into_iter().flatten();
    of.map(|(key, value)| (key.clone(), filled(value.as_str().unwrap()))).collect()
}

/// The configuration that a service of our image comes up with.
fn config(service: &Value) -> Config {
    let image = stages(&text_of("Dockerfile")).pop().unwrap();
    let mut variables = environment(service);
    for step in &image.steps {
        if let Step::Env(pairs) = step {
            for (name, value) in pairs {
                variables.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    let mut raw = Raw::new();
    raw.add_environment("compose", variables);
    raw.read().unwrap_or_else(|faults| panic!("{faults}"))
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Services whose image is ours.
fn ours(file: &Value) -> BTreeMap<&String, &Value> {
    let services = file["services"].as_object().unwrap();
    services.iter().filter(|(_, service)| service["image"] == "parlor").collect()
}

#[test]
fn compose_reads_both_files_and_asks_for_the_secrets() {
    let compose = |name: &str, secrets: &[(&str, &str)]| {
        let mut command = Command::new("docker-compose");
        command.args(["-f", name, "config", "--quiet"]).current_dir(root());
        for (name, _) in SECRETS {
            command.env_remove(name);
        }
        let done = command.envs(secrets.iter().copied()).output();
        let done = done.expect("docker-compose is here: `cargo xtask test` installs it");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (fine, said) = compose(ONE, &[]);
    assert!(fine, "{said}");
    let (fine, said) = compose(MANY, &SECRETS);
    assert!(fine, "{said}");
    for left_out in 0..SECRETS.len() {
        let mut some = SECRETS.to_vec();
        let (name, _) = some.remove(left_out);
        let (fine, said) = compose(MANY, &some);
        assert!(!fine && said.contains(name), "without {name}: {said}");
    }
}

#[test]
fn what_our_services_are_told_is_a_configuration() {
    let one = read(ONE);
    let [(_, service)] = ours(&one).into_iter().collect::<Vec<_>>()[..] else { panic!("one") };
    assert!(!config(service).listen.ip().is_loopback());
    let many = read(MANY);
    let nodes = ours(&many);
    assert_eq!(nodes.keys().map(|name| &***name).collect::<Vec<_>>(), NODES);
    let told: BTreeSet<_> = nodes.values().map(|node| environment(node)).collect();
    assert_eq!(told.len(), 1, "nodes are told different things");
    let told = told.into_iter().next().unwrap();
    assert_eq!(told["PARLOR_SECRET_KEY"], secret("PARLOR_SECRET_KEY").unwrap());
    let node = config(nodes.values().next().unwrap());
    assert!(node.secret.is_some());
    let subnet = many["networks"]["inside"]["ipam"]["config"][0]["subnet"].as_str().unwrap();
    assert_eq!(node.trusted_proxies, [subnet]);
    for parts in ["@postgres:5432/", "@redis:6379"] {
        let found = told.values().filter(|value| value.contains(parts)).count();
        assert_eq!(found, 1, "no node is told of {parts}");
    }
}

#[test]
fn postgres_and_redis_expect_what_the_nodes_are_told() {
    let many = read(MANY);
    let node = environment(&many["services"]["node1"]);
    let postgres = environment(&many["services"]["postgres"]);
    let url = format!(
        "postgres://{}:{}@postgres:5432/{}",
        postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"], postgres["POSTGRES_DB"]
    );
    assert_eq!(node["PARLOR_DATABASE_URL"], url);
    let redis = environment(&many["services"]["redis"]);
    let url = format!("redis://:{}@redis:{}", redis["REDIS_PASSWORD"], redis["REDIS_PORT"]);
    assert_eq!(node["PARLOR_REDIS_URL"], url);
    let run = filled(strings(&many["services"]["redis"]["command"])[2]);
    assert!(run.contains("--port $REDIS_PORT --requirepass $REDIS_PASSWORD"), "{run}");
}

#[test]
fn nobody_waits_for_a_health_check_that_is_not_there() {
    let many = read(MANY);
    let services = many["services"].as_object().unwrap();
    let image = stages(&text_of("Dockerfile")).pop().unwrap();
    let ours = image.steps.iter().any(|step| matches!(step, Step::Health(_)));
    for (name, service) in services {
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert_eq!(how["condition"], "service_healthy", "{name} → {needed}");
            let needed = &services[needed];
            assert!(
                needed["healthcheck"]["test"].is_array() || needed["image"] == "parlor" && ours
            );
        }
    }
    let needs = |name: &str| {
        let of = services[name]["depends_on"].as_object().unwrap();
        of.keys().map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(needs("haproxy"), NODES);
    assert!(NODES.iter().all(|node| needs(node) == ["postgres", "redis"]));
}

#[test]
fn ports_and_volumes_are_those_of_the_image() {
    let image = stages(&text_of("Dockerfile")).pop().unwrap();
    let haproxy = text_of("deploy/haproxy.cfg");
    for name in [ONE, MANY] {
        let file = read(name);
        let declared: BTreeSet<_> = file["volumes"].as_object().unwrap().keys().cloned().collect();
        let (mut used, mut published) = (Vec::new(), Vec::new());
        for (service, of) in file["services"].as_object().unwrap() {
            published.extend(strings(&of["ports"]).into_iter().map(|port| (service, port)));
            let volumes = strings(&of["volumes"]);
            let own = volumes.iter().filter_map(|volume| volume.split_once(':'));
            used.extend(
                own.filter(|(from, _)| !from.starts_with('.')).map(|(from, _)| from.to_owned()),
            );
            if of["image"] == "parlor" {
                let [volume] = volumes[..] else { panic!("{service} has one volume") };
                let (_, inside) = volume.split_once(':').unwrap();
                assert!(image.steps.contains(&Step::Volume(inside.to_owned())));
                assert_eq!(of["read_only"], true);
            }
        }
        let [(who, port)] = published[..] else { panic!("{name} publishes {published:?}") };
        let (_, port) = port.split_once(':').unwrap();
        match &**who {
            "haproxy" => assert!(haproxy.contains(&format!("    bind :{port}\n"))),
            _ => assert!(image.steps.contains(&Step::Expose(port.parse().unwrap()))),
        }
        let all: BTreeSet<_> = used.iter().cloned().collect();
        assert_eq!((used.len(), &all), (all.len(), &declared), "{name}: a volume is one service's");
    }
}

#[test]
fn the_balancer_knows_exactly_the_nodes() {
    let text = text_of("deploy/haproxy.cfg");
    for backend in ["\nbackend nodes", "\nbackend polled"] {
        let of = text.split(backend).nth(1).unwrap().split("\nbackend").next().unwrap();
        let servers = of.lines().filter_map(|line| line.trim().strip_prefix("server "));
        let servers: Vec<_> = servers.filter_map(|server| server.split_once(' ')).collect();
        let wanted: Vec<_> = NODES.iter().map(|node| (*node, format!("{node}:8000"))).collect();
        let same = |((name, at), (node, address)): (&(&str, &str), &(&str, String))| {
            name == node && at == address
        };
        assert_eq!(servers.len(), wanted.len());
        assert!(servers.iter().zip(&wanted).all(same), "{backend}: {servers:?}");
    }
    let mount = read(MANY)["services"]["haproxy"]["volumes"][0].as_str().unwrap().to_owned();
    assert!(mount.starts_with("./deploy/haproxy.cfg:"));
}
