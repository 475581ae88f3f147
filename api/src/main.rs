fn main() -> std::process::ExitCode {
    kimlik_api::run()
}
