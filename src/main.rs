//! Starts parviz.
fn main() -> anyhow::Result<std::process::ExitCode> {
    parviz::runtime::run(
        parviz::app::App::new(
            parviz::experiment::Experiment::default(),
            parviz::app::Settings::default(),
        ),
        parviz::runtime::Options {
            mouse: true,
            ask_background: true,
        },
    )
}
