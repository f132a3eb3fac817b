//! What a person types once, in answer to a question: a passphrase, a recovery code, a yes.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use codec::{
    Name, RecoveryCode,
    claim::{BadRecoveryCode, RECOVERY_WORDS},
};
use zeroize::Zeroizing;

/// The most bytes that are read of an answer.
const ANSWER_BYTES_MAX: u64 = 4096;

/// A passphrase: typed on the terminal without being shown, or the first line of standard input.
///
/// # Errors
/// Why there is none.
pub fn passphrase(stdin: bool, prompt: &str) -> Result<Zeroizing<String>, String> {
    if stdin {
        return line();
    }
    let typed = rpassword::prompt_password(prompt);
    let typed = typed.map_err(|error| {
        format!("no terminal to type the passphrase on ({error}); use --passphrase-stdin")
    })?;
    Ok(Zeroizing::new(typed))
}

/// A recovery code from standard input, on one line or on several.
///
/// # Errors
/// Why there is none.
pub fn recovery_code(name: &Name) -> Result<RecoveryCode, String> {
    if io::stdin().is_terminal() {
        prompt(&format!("The twelve words of {name}'s recovery code: "));
    }
    let mut words = Zeroizing::new(String::with_capacity(512));
    while RecoveryCode::typed_words(&words).count() < RECOVERY_WORDS {
        let line = line()?;
        if line.is_empty() {
            break;
        }
        words.push(' ');
        words.push_str(&line);
    }
    let parsed = words.parse();
    parsed.map_err(|error: BadRecoveryCode| error.to_string())
}

/// Asks a person whether they mean it.
///
/// # Errors
/// That they do not, or that nobody can be asked.
pub fn confirm(what: &str) -> Result<(), String> {
    if !io::stdin().is_terminal() {
        return Err(format!(
            "nobody is there to be asked whether to {what}; say --yes"
        ));
    }
    prompt(&format!("Type yes to {what}: "));
    match line()?.trim() {
        "yes" => Ok(()),
        _ => Err("nothing was changed".to_owned()),
    }
}

fn prompt(text: &str) {
    // Who does not see the question gives no answer to it.
    let mut out = io::stderr();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The next line of standard input, without its end.
fn line() -> Result<Zeroizing<String>, String> {
    let mut line = Zeroizing::new(String::with_capacity(1024));
    let mut input = io::stdin().lock().take(ANSWER_BYTES_MAX);
    let read = input.read_line(&mut line);
    read.map_err(|error| format!("cannot read the answer: {error}"))?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}
