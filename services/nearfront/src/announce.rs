//! What is printed once everything is ready.

use crate::{aws, services::Running};
use kit::settings::Settings;
use std::{fmt::Write, net::SocketAddr, path::Path};

/// Prints it: text for people, or one line of JSON.
pub fn ready(running: &Running, settings: &Settings, json: bool) {
    let text = if json { for_scripts(running, settings) } else { for_people(running, settings) };
    println!("{text}");
}

fn for_scripts(running: &Running, settings: &Settings) -> String {
    let mut ready = serde_json::to_value(&running.run).unwrap_or_default();
    if let Some(object) = ready.as_object_mut() {
        let data = settings.data_dir.display().to_string();
        object.insert("data".to_owned(), data.into());
        let site = site_url(running);
        object.extend(site.map(|url| ("site".to_owned(), url.into())));
    }
    ready.to_string()
}

fn for_people(running: &Running, settings: &Settings) -> String {
    let run = &running.run;
    let at =
        |address: Option<SocketAddr>| address.map(|address| aws::reachable(address).to_string());
    let lines = [
        ("edge, HTTP", at(run.edge_http).map(|at| format!("http://{at}/"))),
        ("edge, HTTPS", at(run.edge_https).map(|at| format!("https://{at}/"))),
        ("API", at(run.control).map(|at| format!("http://{at}/2020-05-31/"))),
        ("DNS", at(run.dns)),
        ("admin", at(run.admin).map(|at| format!("http://{at}/readyz"))),
        ("data", Some(settings.data_dir.display().to_string())),
        ("local CA", running.authority.as_ref().map(|path| path.display().to_string())),
        ("site", site_url(running)),
    ];
    let mut text = String::from("Nearfront is ready.\n\n");
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<12} {value}");
        }
    }
    text + &to_try(running, &settings.data_dir)
}

/// The URL of the distribution for `--site`.
fn site_url(running: &Running) -> Option<String> {
    let port = running.run.edge_http?.port();
    let domain = running.site.as_ref()?;
    Some(format!("http://{domain}:{port}/"))
}

/// Lines that can be pasted into another shell.
fn to_try(running: &Running, data: &Path) -> String {
    let mut text = String::from("\nTo try in another shell:\n\n");
    if running.access.is_some() {
        let folder = if data == Path::new("./.nearfront") {
            String::new()
        } else {
            format!(" --data {}", quoted(data))
        };
        let _ = writeln!(
            text,
            "  eval \"$(nearfront env{folder})\"; aws cloudfront list-distributions"
        );
    }
    if let Some(line) = curl(running) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// One line that works: the site, else the admin server.
fn curl(running: &Running) -> Option<String> {
    let admin = || {
        let admin = aws::url(running.run.admin?);
        Some(format!("curl -s {admin}/readyz"))
    };
    match site_url(running) {
        Some(url) => Some(format!("curl -i {url}")),
        None => admin(),
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Access;
    use kit::runfile::Run;

    fn running() -> Running {
        Running {
            run: Run {
                pid: 7,
                edge_http: Some(([0, 0, 0, 0], 8080).into()),
                control: Some(([127, 0, 0, 1], 9300).into()),
                admin: Some(([127, 0, 0, 1], 9301).into()),
                ..Run::default()
            },
            access: Some(Access {
                endpoint: "http://127.0.0.1:9300".into(),
                id: "AKIA".into(),
                secret: "hush".into(),
            }),
            authority: None,
            site: Some("d1.nearfront.localhost".into()),
        }
    }

    #[test]
    fn people_learn_where_and_what_to_try_but_no_secret() {
        let text = for_people(&running(), &Settings::default());
        for part in [
            "http://127.0.0.1:8080/",
            "curl -i http://d1.nearfront.localhost:8080/",
            "eval \"$(nearfront env)\"; aws cloudfront list-distributions",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("hush") && !text.contains("DNS"), "{text}");
    }

    #[test]
    fn scripts_get_one_line() {
        let text = for_scripts(&running(), &Settings::default());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["site"], "http://d1.nearfront.localhost:8080/");
        assert_eq!(json["edge_http"], "0.0.0.0:8080");
        assert!(!text.contains('\n'));
    }
}
