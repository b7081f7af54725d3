//! One binary of integration tests: each module tells one story about the real program.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected should stop there and say where"
)]

mod after_sale;
mod billing_refusals;
mod billing_story;
mod book;
mod browser;
mod catching_up;
mod check;
mod checkout_loop;
#[cfg(unix)]
mod ci;
mod cli;
#[cfg(unix)]
mod cluster;
#[cfg(not(unix))]
mod cluster {
    //! Where no servers of a test's own are started, the stories about them are not told.

    pub(crate) enum Cluster {}

    impl Cluster {
        pub(crate) const fn start(_: &[&str]) -> Option<Self> {
            None
        }

        pub(crate) fn url(&self) -> String {
            match *self {}
        }

        pub(crate) fn sql(&self, _: &str) -> String {
            match *self {}
        }
    }
}
mod coming_back;
#[cfg(target_os = "linux")]
mod compacting;
mod compare;
mod conformance;
mod connected;
mod course;
mod crash;
mod creem;
#[cfg(unix)]
mod cut_off;
mod delivery;
mod documented;
mod door;
#[cfg(unix)]
mod engines;
mod env;
#[cfg(target_os = "linux")]
mod faults;
#[cfg(target_os = "linux")]
mod faults_files;
#[cfg(target_os = "linux")]
mod faults_ledger;
#[cfg(target_os = "linux")]
mod faults_sandbox;
mod flags;
#[path = "../../fuzz/cases.rs"]
mod fuzz_cases;
mod fuzzed;
mod golden;
mod golden_pages;
mod http;
#[cfg(unix)]
mod interrupted;
#[cfg(target_os = "linux")]
mod joined;
mod large_ledger;
mod listener;
mod merchant;
mod merchant_charts;
mod merchant_commands;
mod merchant_creem;
mod merchant_keys;
mod merchant_lessons;
mod merchant_rights;
mod merchant_routes;
mod merchant_shop;
mod merchant_wallet;
mod moving;
mod network;
mod own_server;
mod pack;
#[cfg(target_os = "linux")]
mod power_cuts;
mod project;
#[cfg(target_os = "linux")]
mod pty;
mod readme;
mod report;
mod requests;
mod same_seed;
mod sandbox_api;
#[cfg(target_os = "linux")]
mod sandbox_files;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(unix)]
mod shards;
mod shop;
mod shop_commands;
mod shopper;
mod simulated;
#[cfg(target_os = "linux")]
mod terminal;
mod tidy;
mod tls;
mod track;
mod transcript;
mod trigger;
#[cfg(unix)]
mod two_shops;
mod webdriver;
mod week;
#[cfg(unix)]
mod wire;
mod worlds;
mod worlds_many;
