//! Pages of memory, as the system hands them out.

/// Asks for small pages from here on, in this process and in what it starts: with huge ones (2 MB each) every thread's
/// heap takes megabytes as soon as it is touched. For what waits or streams with little in memory; a process that fills
/// a heap begins faster with huge ones. A system that refuses gives what it gives.
pub fn small() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pages_are_what_the_process_has_from_then_on() {
        small();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }
}
