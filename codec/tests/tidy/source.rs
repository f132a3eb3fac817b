//! Rust source as far as the rules need it: tokens, which of them are tests, and paths.

use std::ops::Range;

/// One source file.
pub struct Source {
    /// From the root of the workspace, such as `codec/src/frame.rs`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Every path in the code, in order.
    pub paths: Vec<Path>,
    tokens: Vec<Token>,
    /// Ranges of tokens under `#[cfg(test)]`.
    tests: Vec<Range<usize>>,
    /// Modules under `#[cfg(test)]` that are files of their own.
    test_modules: Vec<Vec<String>>,
    all_test: bool,
}

/// A path such as `std::fs::read`, as a `use` makes it: `crate`, `self` and `super` are resolved,
/// so that it begins with `crate` or with the name of a crate, as far as that can be told.
#[derive(Debug, Clone)]
pub struct Path {
    /// Where it begins among the tokens.
    pub at: usize,
    /// Its segments.
    pub segments: Vec<String>,
    /// It stands in a `use`.
    pub imported: bool,
}

struct Token {
    text: String,
    line: usize,
}

/// A name that a file gives to a path, by `use` or by `mod`.
struct Import {
    name: String,
    path: Path,
}

impl Source {
    /// Reads a file.
    pub fn read(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            paths: Vec::new(),
            tokens: tokens(text),
            tests: Vec::new(),
            test_modules: Vec::new(),
            all_test: !path.contains("/src/"),
        };
        source.read_tests();
        source.read_paths();
        source
    }

    /// The text of a token; empty behind the last.
    pub fn token(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// The line of a token, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(1, |token| token.line)
    }

    /// Whether a token is part of a test.
    pub fn is_test(&self, at: usize) -> bool {
        self.all_test || self.tests.iter().any(|range| range.contains(&at))
    }

    /// Where `row`, tokens with a space between each two, occurs.
    pub fn find(&self, row: &str) -> Vec<usize> {
        let starts = 0..self.tokens.len();
        starts.filter(|&at| self.follows(at, row)).collect()
    }

    fn follows(&self, at: usize, row: &str) -> bool {
        (at..)
            .zip(row.split(' '))
            .all(|(at, text)| self.token(at) == text)
    }

    /// Where the bracket at `open` is closed; the last token if it is not, `open` if it is none.
    pub fn closing(&self, open: usize) -> usize {
        let mut depth = 0usize;
        for at in open..self.tokens.len() {
            match self.token(at) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.tokens.len().saturating_sub(1)
    }

    /// The module that this file is, below the root of its crate.
    fn module(&self) -> Vec<String> {
        let inside = self
            .path
            .split_once("/src/")
            .map_or("", |(_, inside)| inside);
        let inside = inside.trim_end_matches(".rs");
        if matches!(inside, "lib" | "main" | "") || inside.starts_with("bin/") {
            return Vec::new();
        }
        inside.split('/').map(str::to_owned).collect()
    }

    fn read_tests(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            self.all_test |= self.follows(at, "# ! [ cfg ( test )");
            let attributes = ["# [ cfg ( test )", "# [ cfg ( all ( test"];
            if !attributes
                .iter()
                .any(|attribute| self.follows(at, attribute))
            {
                at += 1;
                continue;
            }
            let mut item = at;
            while self.token(item) == "#" {
                item = self.closing(item + 1) + 1;
            }
            let mut head = item;
            if self.token(head) == "pub" {
                head += 1;
                if self.token(head) == "(" {
                    head = self.closing(head) + 1;
                }
            }
            if self.token(head) == "mod" && self.token(head + 2) == ";" {
                let name = self.token(head + 1).to_owned();
                self.test_modules.push([self.module(), vec![name]].concat());
            }
            let mut end = item;
            while !matches!(self.token(end), ";" | "{" | "}" | ")" | "") {
                end = self.closing(end) + 1;
            }
            let end = self.closing(end) + 1;
            self.tests.push(at..end);
            at = end;
        }
    }

    fn read_paths(&mut self) {
        let mut module = self.module();
        // How deep the braces were outside of each module inside this file.
        let mut outside = Vec::new();
        let (mut depth, mut at) = (0usize, 0);
        let (mut found, mut imports) = (Vec::new(), Vec::new());
        while at < self.tokens.len() {
            match self.token(at) {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if outside.last() == Some(&depth) {
                        outside.pop();
                        module.pop();
                    }
                }
                "mod" => {
                    let name = self.token(at + 1).to_owned();
                    let segments = vec!["self".to_owned(), name.clone()];
                    let path = path_at(at, absolute(segments, &module), false);
                    imports.push(Import {
                        name: name.clone(),
                        path,
                    });
                    if self.token(at + 2) == "{" {
                        outside.push(depth);
                        module.push(name);
                    }
                    at += 1;
                }
                "use" if self.token(at + 1) != "<" => {
                    let mut leaves = Vec::new();
                    at = self.read_use(at + 1, &[], &mut leaves);
                    for Import { name, mut path } in leaves {
                        path.segments = absolute(path.segments, &module);
                        found.push(path.clone());
                        imports.push(Import { name, path });
                    }
                }
                _ if self.begins_path(at) => {
                    let begin = at;
                    let mut segments = Vec::new();
                    if self.token(at) == "::" {
                        segments.push(String::new());
                        at += 1;
                    }
                    segments.push(self.token(at).to_owned());
                    while self.token(at + 1) == "::" && is_word(self.token(at + 2)) {
                        at += 2;
                        segments.push(self.token(at).to_owned());
                    }
                    found.push(path_at(begin, absolute(segments, &module), false));
                }
                _ => {}
            }
            at += 1;
        }
        for path in &mut found {
            self.resolve(path, &imports);
        }
        self.paths = found;
    }

    /// Whether a path begins at `at`: not a field, a method, or what follows a type's brackets.
    fn begins_path(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| self.token(at));
        if self.token(at) == "::" {
            return !is_word(before(1)) && before(1) != ">" && is_word(self.token(at + 1));
        }
        let is_member = before(1) == "." && before(2) != ".";
        is_word(self.token(at)) && !is_member && before(1) != "::"
    }

    /// Reads one tree of a `use` behind `prefix` and returns where it ends.
    fn read_use(&self, at: usize, prefix: &[String], leaves: &mut Vec<Import>) -> usize {
        let (begin, mut at) = (at, at);
        let mut segments = prefix.to_vec();
        if self.token(at) == "::" {
            segments.push(String::new());
            at += 1;
        }
        loop {
            match self.token(at) {
                "{" => {
                    let end = self.closing(at);
                    at += 1;
                    while at < end {
                        at = self.read_use(at, &segments, leaves) + 1;
                    }
                    return end + 1;
                }
                "::" => {}
                "," | ";" | "}" | "as" | "" => break,
                "self" if !segments.is_empty() => {}
                word => segments.push(word.to_owned()),
            }
            at += 1;
        }
        let mut name = segments.last().cloned().unwrap_or_default();
        if self.token(at) == "as" {
            name = self.token(at + 1).to_owned();
            at += 2;
        }
        let path = path_at(begin, segments, true);
        leaves.push(Import { name, path });
        at
    }

    /// Follows the first segment of `path` through what the file imports.
    fn resolve(&self, path: &mut Path, imports: &[Import]) {
        // Imports of imports are followed a few times; more would be a circle.
        for _ in 0..4 {
            let import = imports.iter().find(|import| {
                import.name != "_"
                    && path.segments.first() == Some(&import.name)
                    && import.path.at != path.at
                    && import.path.segments.first() != Some(&import.name)
                    && (!self.is_test(import.path.at) || self.is_test(path.at))
            });
            let Some(import) = import else { break };
            path.segments
                .splice(..1, import.path.segments.iter().cloned());
        }
        path.segments.retain(|segment| !segment.is_empty());
    }
}

/// Marks the files of modules that are declared under `#[cfg(test)]` elsewhere.
pub fn mark_test_files(sources: &mut [Source]) {
    let package = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let mut modules = Vec::new();
    for source in &*sources {
        for module in &source.test_modules {
            modules.push((package(&source.path), module.clone()));
        }
    }
    for source in sources {
        let (of, own) = (package(&source.path), source.module());
        let is_under =
            |(package, module): &(String, Vec<String>)| *package == of && own.starts_with(module);
        source.all_test |= modules.iter().any(is_under);
    }
}

fn path_at(at: usize, segments: Vec<String>, imported: bool) -> Path {
    Path {
        at,
        segments,
        imported,
    }
}

/// `segments` from the root of the crate, where they are relative to `module`.
fn absolute(segments: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = segments.as_slice();
    match rest.first().map(String::as_str) {
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        _ => return segments,
    }
    [&["crate".to_owned()], base.as_slice(), rest].concat()
}

/// Whether a token can be a segment of a path.
fn is_word(text: &str) -> bool {
    let keyword = matches!(
        text,
        "as" | "break"
            | "const"
            | "dyn"
            | "else"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "match"
            | "mut"
            | "ref"
            | "return"
            | "use"
            | "where"
            | "while"
            | "fn"
            | "pub"
    );
    !keyword && text.starts_with(|c: char| c == '_' || c.is_alphabetic())
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut line) = (0, 1);
    let mut tokens = Vec::new();
    while at < chars.len() {
        let (end, is_code) = token_end(&chars, at);
        let end = end.min(chars.len());
        if is_code {
            let raw = chars[at..end].starts_with(&['r', '#']);
            let text = chars[at + if raw { 2 } else { 0 }..end].iter().collect();
            tokens.push(Token { text, line });
        }
        line += chars[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    tokens
}

/// Where the token at `at` ends, and whether it is code: not space, a comment or a literal.
fn token_end(chars: &[char], at: usize) -> (usize, bool) {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let word = |from: usize| from + chars[from..].iter().take_while(|&&c| is_word(c)).count();
    match next(0) {
        '/' if next(1) == '/' => {
            let length = chars[at..].iter().take_while(|&&c| c != '\n').count();
            (at + length, false)
        }
        '/' if next(1) == '*' => (block_comment_end(chars, at), false),
        '\'' if next(1) != '\\' && next(2) != '\'' => (word(at + 1), false),
        '\'' => (quoted_end(chars, at), false),
        'b' if next(1) == '\'' => (quoted_end(chars, at + 1), false),
        ':' if next(1) == ':' => (at + 2, true),
        c if c.is_whitespace() => (at + 1, false),
        c if c == '"' || matches!(c, 'b' | 'c' | 'r') && string_end(chars, at).is_some() => {
            (string_end(chars, at).unwrap_or(chars.len()), false)
        }
        'r' if next(1) == '#' => (word(at + 2), true),
        c if is_word(c) => (word(at), true),
        _ => (at + 1, true),
    }
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut at, mut depth) = (at, 0usize);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => depth += 1,
            ['*', '/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The end of the string that begins at `at`, if one does, with its prefix: `b`, `c`, `r`, `#`.
fn string_end(chars: &[char], at: usize) -> Option<usize> {
    let prefix = chars[at..]
        .iter()
        .take_while(|c| matches!(c, 'b' | 'c' | 'r'))
        .count();
    let is_raw = chars[at..at + prefix].contains(&'r');
    let hashes = chars[at + prefix..]
        .iter()
        .take_while(|&&c| c == '#')
        .count();
    let quote = at + prefix + hashes;
    if chars.get(quote) != Some(&'"') || prefix > 2 || hashes > 0 && !is_raw {
        return None;
    }
    if !is_raw {
        return Some(quoted_end(chars, quote));
    }
    let end = [vec!['"'], vec!['#'; hashes]].concat();
    let inside = &chars[quote + 1..];
    let length = inside.windows(end.len()).position(|part| part == end)?;
    Some(quote + 1 + length + end.len())
}

/// The end of what the quote at `at` begins, where a backslash escapes.
fn quoted_end(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < chars.len() && chars[end] != chars[at] {
        end += if chars[end] == '\\' { 2 } else { 1 };
    }
    end + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Source {
        Source::read("softphone/src/call/ring.rs", text)
    }

    fn code(text: &str) -> String {
        let texts: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
        texts.join(" ")
    }

    fn paths(text: &str) -> Vec<String> {
        let source = read(text);
        source
            .paths
            .iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        assert_eq!(code("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(code(r##"a "b // \" c" d r#"e " f"# g b"h" i"##), "a d g i");
        assert_eq!(code(r"a 'b' '\'' '\\' b'c' 'd e"), "a e");
        assert_eq!(code("r#type::bar 0xFFu8 1.5"), "type :: bar 0xFFu8 1 . 5");
    }

    #[test]
    fn lines_are_counted_through_literals_and_comments() {
        let source = read("a\n\"x\ny\"\n/*\n*/ b");
        assert_eq!((source.line(0), source.line(1)), (1, 5));
    }

    #[test]
    fn a_use_is_taken_apart() {
        assert_eq!(
            paths("use codec::{registry::{self, Method as M}, Name,}; use std::fmt::*;"),
            [
                "codec::registry",
                "codec::registry::Method",
                "codec::Name",
                "std::fmt::*"
            ]
        );
        assert_eq!(
            paths("use ::registry::client; fn f() -> impl use<'a> A"),
            ["registry::client", "f", "A"]
        );
    }

    #[test]
    fn a_path_is_followed_through_imports_and_modules() {
        assert_eq!(
            paths("use codec::registry; registry::Method")[1],
            "codec::registry::Method"
        );
        assert_eq!(paths("registry::Method")[0], "registry::Method");
        assert_eq!(
            paths("use codec::registry; ::registry::server")[1],
            "registry::server"
        );
        assert_eq!(paths("use a::b as c; use c::d; d::e")[2], "a::b::d::e");
        assert_eq!(
            paths("super::x; self::y; crate::z; super::super::audio::w"),
            [
                "crate::call::x",
                "crate::call::ring::y",
                "crate::z",
                "crate::audio::w"
            ]
        );
        assert_eq!(
            paths("mod inner { super::x } super::x"),
            ["crate::call::ring::x", "crate::call::x"]
        );
        assert_eq!(
            paths("mod engine; engine::run")[0],
            "crate::call::ring::engine::run"
        );
    }

    #[test]
    fn fields_and_methods_are_no_paths() {
        assert_eq!(paths("a.spawn(b).c"), ["a", "b"]);
        assert_eq!(paths("..Default::default()"), ["Default::default"]);
        assert_eq!(paths("Vec::<u8>::new()"), ["Vec", "u8"]);
    }

    #[test]
    fn what_only_tests_see_is_known() {
        let source = read("a #[cfg(test)] #[allow(x)] mod tests { b { c } } d");
        let tests: Vec<&str> = (0..source.tokens.len())
            .filter(|&at| source.is_test(at))
            .map(|at| source.token(at))
            .collect();
        assert_eq!(
            tests.join(" "),
            "# [ cfg ( test ) ] # [ allow ( x ) ] mod tests { b { c } }"
        );
        let source = read("#[cfg(test)] use a::b; c");
        assert!(source.is_test(source.find("b")[0]));
        assert!(!source.is_test(source.find("c")[0]));
        assert!(read("#![cfg(test)] a").is_test(9));
        assert!(Source::read("codec/tests/a.rs", "a").is_test(0));
        assert!(!read("#[cfg(not(test))] mod a { b }").is_test(12));
    }

    #[test]
    fn a_module_that_only_tests_see_may_be_a_file_of_its_own() {
        let mut sources = [
            Source::read(
                "registry/src/store.rs",
                "#[cfg(test)] pub(crate) mod conformance;",
            ),
            Source::read("registry/src/store/conformance.rs", "a"),
            Source::read("registry/src/store/conformance/mailbox.rs", "a"),
            Source::read("registry/src/store/memory.rs", "a"),
            Source::read("softphone/src/store/conformance.rs", "a"),
        ];
        mark_test_files(&mut sources);
        let marked = sources.map(|source| source.is_test(source.tokens.len()));
        assert_eq!(marked, [false, true, true, false, false]);
    }
}
