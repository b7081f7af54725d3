use super::*;
use proptest::prelude::*;

/// What a rule finds in one file, as `line what`.
fn hits(rule: Rule, path: &str, text: &str) -> Vec<String> {
    let project = Project { files: vec![Text::new(path, text)], tracked: None };
    rule.look(&project).hits.iter().map(|hit| format!("{} {}", hit.line, hit.what)).collect()
}

fn found(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| Text::new(path, text)).collect();
    let project = Project { files, tracked: None };
    rule.look(&project).hits.iter().map(Hit::show).collect()
}

/// Each of these texts has something for the rule; each of those has nothing.
fn told_apart(rule: Rule, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!hits(rule, path, text).is_empty(), "{} misses {path}: {text}", rule.name());
    }
    for (path, text) in good {
        let none: Vec<String> = Vec::new();
        assert_eq!(hits(rule, path, text), none, "{} in {path}: {text}", rule.name());
    }
}

#[test]
fn every_rule_has_the_name_that_lessons_use() {
    for rule in Rule::ALL {
        let read: Rule = serde_json::from_value(rule.name().into()).unwrap();
        assert_eq!(read, rule);
    }
}

#[test]
fn a_hit_names_file_line_and_what_it_saw_with_secrets_masked() {
    let text = "import stripe\nstripe.api_key = \"sk_test_51HabcdefgH\"\n";
    let seen = found(Rule::SecretInSource, &[("shop/app.py", text)]);
    assert_eq!(seen, ["shop/app.py:2 sk_test_***"]);
}

#[test]
fn secrets_in_source_are_found_in_every_kind_of_file() {
    told_apart(
        Rule::SecretInSource,
        &[
            ("app.py", "key = 'sk_live_51Habcdefgh'"),
            ("app.js", "// old: whsec_0123456789ab"),
            ("src/main.rs", "const KEY: &str = \"rk_test_51Habcdefgh\";"),
            ("Dockerfile", "ENV STRIPE_SECRET_KEY=sk_test_51Habcdefgh"),
            ("compose.yaml", "STRIPE_WEBHOOK_SECRET: whsec_51Habcdefgh"),
            (".env.example", "STRIPE_SECRET_KEY=sk_test_51Habcdefgh"),
            ("settings.py", "PK = 'pk_test_51Habcdefgh'"),
        ],
        &[
            ("app.py", "key.startswith(('sk_live_', 'sk_test_'))"),
            (".env.example", "STRIPE_SECRET_KEY=sk_test_replace_me\nA=sk_test_xxxxxxxxxxxx"),
            ("index.html", "Stripe('pk_test_51Habcdefgh')"),
            ("README.md", "sk_test_51Habcdefgh"),
        ],
    );
}

#[test]
fn pages_hold_no_secret_and_no_name_of_one() {
    told_apart(
        Rule::SecretInPage,
        &[
            ("templates/a.html", "<script>Stripe('sk_test_1')</script>"),
            ("public/app.js", "const secret = 'whsec_1'"),
            ("static/js/app.js", "import.meta.env.STRIPE_SECRET_KEY"),
            ("a.jsx", "new Stripe(process.env.STRIPE_SECRET_KEY)"),
        ],
        &[
            ("server.js", "key.startsWith('sk_test_')"),
            ("templates/a.html", "<script>Stripe('pk_test_1')</script>"),
        ],
    );
}

#[test]
fn an_image_takes_env_along_unless_it_is_ignored() {
    let copy = "FROM python:3.13\nCOPY --chown=a . .\n";
    assert_eq!(found(Rule::EnvInImage, &[("Dockerfile", copy)]), ["Dockerfile:2 COPY --chown"]);
    for ignore in [".env", ".env*", "**/.env", "/.env", "*", ".env.*\n.env"] {
        let files = [("Dockerfile", copy), (".dockerignore", ignore)];
        assert_eq!(found(Rule::EnvInImage, &files), Vec::<String>::new(), "{ignore}");
    }
    for ignore in ["env", ".git", ".env\n!.env", "", ".env.example"] {
        let files = [("Dockerfile", copy), (".dockerignore", ignore)];
        assert_eq!(found(Rule::EnvInImage, &files).len(), 1, "{ignore}");
    }
    told_apart(
        Rule::EnvInImage,
        &[
            ("Dockerfile", "COPY .env /srv/"),
            ("Dockerfile", "ADD [\".\", \"/srv\"]"),
            ("Dockerfile", "ARG STRIPE_SECRET_KEY"),
            ("Dockerfile", "ENV STRIPE_SECRET_KEY=abc"),
            ("Dockerfile", "COPY requirements.txt \\\n  . /srv/"),
        ],
        &[
            ("Dockerfile", "COPY *.py ./\nCOPY src src\nCOPY --from=build . /srv\n# COPY . ."),
            ("Dockerfile", "ENV STRIPE_SECRET_KEY="),
        ],
    );
}

#[test]
fn git_must_not_know_env_and_the_ignore_file_must() {
    let at = |tracked: &[&str], ignore: Option<&str>| {
        let files = ignore.map(|text| Text::new(".gitignore", text)).into_iter().collect();
        let tracked = Some(tracked.iter().map(|it| (*it).to_owned()).collect());
        Rule::EnvInGit.look(&Project { files, tracked }).hits.len()
    };
    assert_eq!(at(&[".env.example", "app.py"], Some("*.db\n.env\n")), 0);
    assert_eq!(at(&[".env"], Some(".env")), 1);
    assert_eq!(at(&["a/.env.local"], Some(".env")), 1);
    assert_eq!(at(&[], Some("*.db")), 1);
    assert_eq!(at(&[], None), 1);
}

#[test]
fn dependencies_and_images_have_versions() {
    told_apart(
        Rule::Unpinned,
        &[
            ("requirements.txt", "flask==3.1.3\nstripe>=10\n"),
            ("requirements-dev.txt", "pytest"),
            ("requirements.txt", "stripe==*"),
            ("package.json", "{\"dependencies\":{\"stripe\":\"^23.1.0\"}}"),
            ("Cargo.toml", "[dependencies]\naxum = \"0.8\""),
            ("pyproject.toml", "dependencies = [\"flask==3.1.3\", \"stripe>=10\"]"),
            ("Dockerfile", "FROM python"),
            ("Dockerfile", "FROM --platform=linux/amd64 node:latest AS build"),
        ],
        &[
            ("requirements.txt", "# shop\nflask==3.1.3  # web\n-r base.txt\n\n"),
            ("pyproject.toml", "dependencies = [\"flask==3.1.3\", ]"),
            ("package.json", "{\"name\":\"a\"}"),
            (
                "Dockerfile",
                "FROM rust:1.95-slim AS build\nFROM build\nFROM a@sha256:1\nFROM scratch",
            ),
        ],
    );
    let package = "{\"dependencies\":{\"stripe\":\"^23.1.0\"}}";
    let files = [("web/package.json", package), ("web/package-lock.json", "{}")];
    assert_eq!(found(Rule::Unpinned, &files), Vec::<String>::new());
}

#[test]
fn the_layer_of_dependencies_follows_their_list() {
    told_apart(
        Rule::BuildCache,
        &[
            ("Dockerfile", "FROM a\nRUN pip install flask stripe\nCOPY . ."),
            ("Dockerfile", "COPY src src\nRUN npm ci"),
        ],
        &[
            ("Dockerfile", "COPY requirements.txt .\nRUN pip install -r requirements.txt"),
            ("Dockerfile", "COPY . .\nRUN npm ci"),
            ("Dockerfile", "RUN pip install --upgrade pip\nCOPY package*.json ./\nRUN npm ci"),
        ],
    );
}

#[test]
fn a_secret_that_nobody_set_is_not_read_as_empty() {
    told_apart(
        Rule::EmptyKeyDefault,
        &[
            ("a.py", "SECRET = os.environ.get(\"STRIPE_WEBHOOK_SECRET\", \"\")"),
            ("a.py", "stripe.api_key = os.getenv('STRIPE_API_KEY') or ''"),
            ("a.js", "const s = process.env.STRIPE_WEBHOOK_SECRET || \"\";"),
            ("a.ts", "const s = process.env['STRIPE_SECRET_KEY'] ?? '';"),
            ("a.rs", "let s = env::var(\"STRIPE_WEBHOOK_SECRET\").unwrap_or_default();"),
            ("compose.yaml", "STRIPE_SECRET_KEY: ${STRIPE_SECRET_KEY:-}"),
        ],
        &[
            ("a.py", "SECRET = os.environ[\"STRIPE_WEBHOOK_SECRET\"]"),
            (
                "a.py",
                "s = os.environ.get('STRIPE_SECRET_KEY', '')\nif not s:\n    sys.exit('no key')",
            ),
            ("a.py", "TITLE = os.environ.get('TITLE', '')"),
            ("a.py", "# os.environ.get('STRIPE_SECRET_KEY', '')"),
            ("a.js", "const s = process.env.STRIPE_WEBHOOK_SECRET;"),
            ("a.rs", "let s = env::var(\"STRIPE_WEBHOOK_SECRET\")?;"),
            ("compose.yaml", "STRIPE_SECRET_KEY: ${STRIPE_SECRET_KEY:?}"),
        ],
    );
}

#[test]
fn calls_that_are_gone_are_found_where_they_are_made() {
    told_apart(
        Rule::RedirectToCheckout,
        &[("a.html", "stripe.redirectToCheckout({})"), ("a.js", "await s.redirectToCheckout()")],
        &[("a.js", "// redirectToCheckout is gone"), ("a.html", "<!-- redirectToCheckout -->")],
    );
    told_apart(
        Rule::PaymentMethodTypes,
        &[
            ("a.py", "s = stripe.checkout.Session.create(\n  payment_method_types=['card'],\n)"),
            ("a.js", "stripe.checkout.sessions.create({\n  payment_method_types: ['card'] })"),
            ("a.rs", "(\"payment_method_types[]\", \"card\")\npost(\"/v1/checkout/sessions\")"),
        ],
        &[
            ("a.py", "stripe.checkout.Session.create(\n  # payment_method_types=['card']\n)"),
            ("a.py", "stripe.PaymentIntent.create(payment_method_types=['card'])"),
            ("a.js", "checkout.sessions.create({ excluded_payment_method_types: ['card'] })"),
        ],
    );
}

#[test]
fn webhooks_verify() {
    told_apart(
        Rule::UnverifiedWebhook,
        &[
            ("a.py", "@app.post('/webhook')\ndef hook():\n    event = json.loads(request.data)"),
            ("a.py", "# event = stripe.Webhook.construct_event(payload, sig, secret)\nx = 1"),
            ("a.js", "//  event = stripe.webhooks.constructEvent(body, sig, secret)"),
            ("a.py", "if webhook_secret:\n    event = stripe.Webhook.construct_event(p, s, k)"),
            ("a.js", "if (process.env.STRIPE_WEBHOOK_SECRET) {\n  e = s.webhooks.constructEvent()"),
            ("src/main.rs", ".route(\"/webhook\", post(receive))"),
        ],
        &[
            ("a.py", "@app.post('/webhook')\nevent = stripe.Webhook.construct_event(p, s, k)"),
            ("a.js", "app.post('/webhook', x)\ns.webhooks.constructEvent(b, h, k) // verifies"),
            ("a.py", "if not webhook_secret:\n    sys.exit()\nstripe.Webhook.construct_event(1)"),
            ("a.py", "# construct_event checks the age as well\nprint(1)"),
        ],
    );
}

#[test]
fn payloads_stay_out_of_logs() {
    told_apart(
        Rule::PayloadPrint,
        &[
            ("a.py", "print(payload)"),
            ("a.py", "log.info('got %s', event)"),
            ("a.py", "print(f'event: {event}')"),
            ("a.py", "app.logger.debug(request.data)"),
            ("a.js", "console.log('body', req.body);"),
            (
                "a.js",
                "console.log(`event ${JSON.stringify(event)}`, JSON.stringify(event, null, 2))",
            ),
            ("a.rs", "println!(\"{event:?}\");"),
            ("a.rs", concat!("dbg", "!(event);")),
        ],
        &[
            ("a.py", "log.info('%s %s', event['id'], event['type'])"),
            ("a.py", "print(f'{event_id} recorded')"),
            ("a.py", "# print(payload)"),
            ("a.js", "console.log(event.id, event.type)"),
            ("a.rs", "println!(\"{label} recorded: {fact}\");"),
            ("a.py", "blueprint(event)"),
        ],
    );
}

#[test]
fn a_webhook_in_python_logs() {
    let route = "@app.post('/webhook')\ndef hook():\n";
    let print = format!("{route}    print('got it')\n");
    let log = format!("import logging\n{route}    log.info('x')\n");
    told_apart(
        Rule::NoLogging,
        &[("a.py", &print), ("a.py", route)],
        &[("a.py", &log), ("a.py", "print('a tool')"), ("a.js", "app.post('/webhook')")],
    );
    let apart = [("a.py", route), ("b.py", "logger = get()")];
    assert_eq!(found(Rule::NoLogging, &apart), Vec::<String>::new());
}

#[test]
fn money_is_whole_and_yen_is_not_multiplied() {
    told_apart(
        Rule::FloatMoney,
        &[
            ("a.py", "amount = float(form['amount'])"),
            ("a.js", "const price = parseFloat(text)"),
            ("a.rs", "let total = amount as f64;"),
        ],
        &[
            ("a.py", "amount = int(form['amount'])"),
            ("a.py", "seconds = float(text)"),
            ("a.js", "// amount = parseFloat(x)"),
        ],
    );
    told_apart(
        Rule::YenTimes100,
        &[
            ("a.py", "CURRENCY = 'jpy'\nunit_amount = price * 100"),
            ("a.js", "const c = 'jpy'; show(session.amount_total / 100)"),
            ("a.rs", "let yen = 1; let unit_amount = 100 * price;"),
        ],
        &[
            ("a.py", "CURRENCY = 'usd'\nunit_amount = price * 100"),
            ("a.py", "ZERO_DECIMAL = {'jpy'}\nunit_amount = price * 100"),
            ("a.py", "CURRENCY = 'jpy'\nunit_amount = price * 1000"),
            ("a.py", "CURRENCY = 'jpy'\nprogress = done * 100"),
        ],
    );
    told_apart(
        Rule::MagicAmount,
        &[
            ("a.py", "{'currency': 'jpy', 'unit_amount': 500}"),
            ("a.js", "unit_amount: 500,"),
            ("a.rs", "(\"line_items[0][price_data][unit_amount]\", \"500\")"),
        ],
        &[
            ("a.py", "'unit_amount': PRICE"),
            ("a.js", "unit_amount: PRICE"),
            ("a.py", "PRICE = 500"),
        ],
    );
}

#[test]
fn connections_and_instants_are_not_shared_or_naive() {
    told_apart(
        Rule::SharedCursor,
        &[
            ("a.py", "db = sqlite3.connect('a.db', check_same_thread = False)"),
            ("a.py", "cur = db.cursor()"),
        ],
        &[
            ("a.py", "def f():\n    cur = db.cursor()"),
            ("a.py", "# check_same_thread=False"),
            ("a.js", "const cur = db.cursor()"),
        ],
    );
    told_apart(
        Rule::Utcnow,
        &[("a.py", "t = datetime.utcnow()"), ("a.py", "default=datetime.datetime.utcnow)")],
        &[("a.py", "t = datetime.now(timezone.utc)"), ("a.py", "# utcnow() is deprecated")],
    );
}

#[test]
fn images_are_maintained_serve_properly_and_keep_the_ledger() {
    told_apart(
        Rule::OldRuntime,
        &[
            ("Dockerfile", "FROM python:3.10-slim"),
            ("Dockerfile", "FROM docker.io/library/python:3.9"),
            ("Dockerfile", "FROM node:18"),
            ("compose.yaml", "FLASK_ENV: development"),
            (".env.example", "FLASK_ENV=development"),
        ],
        &[
            ("Dockerfile", "FROM python:3.13-slim\nFROM node:22\nFROM python:3"),
            ("Dockerfile", "FROM debian:trixie-slim"),
            ("compose.yaml", "# FLASK_ENV is gone\nFLASK_DEBUG: 0"),
        ],
    );
    told_apart(
        Rule::DevServer,
        &[
            ("Dockerfile", "CMD [\"flask\", \"run\", \"--host=0.0.0.0\"]"),
            ("Dockerfile", "CMD npm run dev"),
            ("compose.yaml", "    command: flask run"),
        ],
        &[
            ("Dockerfile", "CMD [\"gunicorn\", \"app:app\"]"),
            ("Dockerfile", "CMD [\"node\", \"app.js\"]"),
        ],
    );
    let runs = [("Dockerfile", "CMD [\"python\", \"app.py\"]"), ("app.py", "app.run(port=1)")];
    assert_eq!(found(Rule::DevServer, &runs), ["Dockerfile:1 app.py"]);
    let serves = [("Dockerfile", "CMD [\"python\", \"app.py\"]"), ("app.py", "serve(app)")];
    assert_eq!(found(Rule::DevServer, &serves), Vec::<String>::new());
    told_apart(
        Rule::NoVolume,
        &[("compose.yaml", "services:\n  shop:\n    build: ."), ("Dockerfile", "FROM a:1")],
        &[("compose.yaml", "  shop:\n    volumes:\n      - a:/b"), ("Dockerfile", "VOLUME /data")],
    );
}

#[test]
fn a_readme_tells_the_same_as_the_code() {
    let code = ("app.py", "KEY = os.environ[\"STRIPE_SECRET_KEY\"]\nDB = or_else(\"LEDGER_DB\")");
    let sample = (".env.example", "LEDGER_DB=a.db\nSTRIPE_SECRET_KEY=\n");
    let told = "| `STRIPE_SECRET_KEY` | a |\n| `LEDGER_DB` | b |\n";
    let good = [code, sample, ("README.md", told)];
    assert_eq!(found(Rule::ReadmeEnv, &good), Vec::<String>::new());
    let old = "| `STRIPE_SECRET_KEY` | a |\n| `STRIPE_API_KEY` | renamed |\n";
    assert_eq!(
        found(Rule::ReadmeEnv, &[code, sample, ("README.md", old)]),
        ["app.py:2 LEDGER_DB ∉ README.md", "README.md:2 STRIPE_API_KEY ∉ code"]
    );
    let run = |commands: &str| {
        let text = format!("# a\n```bash\n{commands}\n```\n");
        found(Rule::ReadmeCommands, &[code, sample, ("package.json", "{}"), ("README.md", &text)])
    };
    assert_eq!(
        run("cp .env.example .env && python app.py\ngunicorn -w 2 app:app"),
        Vec::<String>::new()
    );
    assert_eq!(run("pip install -r requirements.txt").len(), 1);
    assert_eq!(run("gunicorn shop:app"), ["README.md:3 gunicorn shop:app: – shop.py"]);
    assert_eq!(run("docker compose up"), ["README.md:3 docker compose up: – compose.yaml"]);
    assert_eq!(run("npm run serve"), ["README.md:3 npm run serve: – package.json serve"]);
    let late = "gunicorn app:app\n```\n```bash\nstripe listen --forward-to localhost:4242";
    assert_eq!(
        run(late),
        ["README.md:6 stripe listen --forward-to localhost:4242: line 3 serves already"]
    );
}

#[test]
fn a_readme_has_its_sections_and_whole_fences() {
    let whole = "# a\n## Features\n## Requirements\n## Setup\n## Use\n## Cautions\n## Files\n## Licence\n## References\n";
    told_apart(
        Rule::ReadmeSections,
        &[("README.md", "# a\n"), ("README.md", &format!("{whole}```bash\n")), ("a.py", "x")],
        &[("README.md", whole)],
    );
    assert_eq!(
        hits(Rule::ReadmeSections, "README.md", &format!("{whole}```hash\nx\n```\n")),
        ["10 ```hash"]
    );
}

#[test]
fn a_rule_without_files_of_its_sort_has_looked_at_none() {
    let project = Project { files: vec![Text::new("a.js", "x")], tracked: None };
    for rule in [Rule::SharedCursor, Rule::Utcnow, Rule::NoVolume, Rule::DevServer, Rule::NoLogging]
    {
        assert_eq!(rule.look(&project).looked, 0, "{}", rule.name());
    }
}

proptest! {
    #[test]
    fn no_text_upsets_a_rule(
        text in r#"([a-zé円\PC]|[\n"'`#/*(){}\[\],:=.\\$]|unit_amount|print\(|sk_test_|FROM |COPY |CMD |check_same_thread|STRIPE_SECRET_KEY|/webhook|"""){0,60}"#,
        at in 0_usize..10,
    ) {
        let names = ["a.py", "a.js", "a.rs", "a.html", "Dockerfile", "compose.yaml", "requirements.txt",
            ".gitignore", "package.json", "README.md"];
        let file = Text::new(names[at], &text);
        let lines = text.lines().count();
        let project = Project { files: vec![file], tracked: Some(vec![text]) };
        for rule in Rule::ALL {
            for hit in rule.look(&project).hits {
                prop_assert!(hit.line >= 1 && hit.line <= lines.max(1));
            }
        }
    }
}
