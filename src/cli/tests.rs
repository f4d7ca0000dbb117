//! What is made of the command line holds the whole of it.

use clap_complete::Shell;

use super::*;

/// Every command by its words, `keystead` itself not among them.
fn commands(of: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
    let below = of.get_subcommands().filter(|command| command.get_name() != "help").flat_map(|command| {
        let path = [path, &[command.get_name().to_owned()]].concat();
        [vec![path.clone()], commands(command, &path)].concat()
    });
    below.collect()
}

#[test]
fn every_command_and_option_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn every_shell_is_told_of_every_command_and_option() {
    let all = commands(&Arguments::command(), &[]);
    assert!(all.contains(&vec!["keys".to_owned(), "rotate".to_owned()]), "{all:?}");
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "keystead", &mut script);
        let script = String::from_utf8(script).unwrap();
        for path in &all {
            let name = path.last().unwrap();
            assert!(script.contains(name.as_str()), "{shell} is not told of {path:?}");
        }
        assert!(script.contains("password-file") && script.contains("config"), "{shell} is not told of the options");
    }
}

#[test]
fn every_command_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    man::run(Some(folder.path()), Arguments::command()).unwrap();
    let mut all = commands(&Arguments::command(), &[]);
    all.push(Vec::new());
    for path in &all {
        let name = [&["keystead".to_owned()], path.as_slice()].concat().join("-");
        let page = std::fs::read_to_string(folder.path().join(format!("{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), all.len());
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let missing = std::path::Path::new("/nowhere/at/all");
    assert!(matches!(man::run(Some(missing), Arguments::command()), Err(StartError::Failed(_))));
}
