//! Source files as tokens, so that comments and strings never trip a rule.
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::path::Path;

/// A token and its line.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A function and how long it is, signature included.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

/// A file of the project; the path is relative to its root, with `/`.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) functions: Vec<Function>,
    /// Why it could not be read as Rust.
    pub(crate) broken: Option<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let mut source = Self { path: path.into(), text: text.into(), tokens: vec![], functions: vec![], broken: None };
        if is_rust(path) {
            match text.parse::<TokenStream>() {
                Ok(stream) => source.read(stream),
                Err(error) => source.broken = Some(error.to_string()),
            }
        }
        source
    }

    fn read(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        for (index, tree) in trees.iter().enumerate() {
            if let TokenTree::Ident(ident) = tree
                && ident == "fn"
            {
                self.functions.extend(function(&trees[index..]));
            }
            self.flatten(tree);
        }
    }

    fn flatten(&mut self, tree: &TokenTree) {
        let TokenTree::Group(group) = tree else {
            // A literal is one token whose text no rule looks at.
            let text = if matches!(tree, TokenTree::Literal(_)) { "\"\"".into() } else { tree.to_string() };
            self.tokens.push(Token { text, line: tree.span().start().line });
            return;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.tokens.push(Token { text: open.into(), line: group.span_open().start().line });
        self.read(group.stream());
        self.tokens.push(Token { text: close.into(), line: group.span_close().end().line });
    }

    /// Lines where these tokens, written with blanks between them, follow one another.
    pub(crate) fn lines_with(&self, pattern: &str) -> Vec<usize> {
        let wanted: Vec<&str> = pattern.split_whitespace().collect();
        let windows = self.tokens.windows(wanted.len());
        let hit = |window: &&[Token]| window.iter().zip(&wanted).all(|(token, text)| token.text == *text);
        windows.filter(hit).map(|window| window[0].line).collect()
    }
}

/// The function whose `fn` the trees begin with; none for a declaration or a function pointer type.
fn function(trees: &[TokenTree]) -> Option<Function> {
    let [TokenTree::Ident(first), TokenTree::Ident(name), rest @ ..] = trees else { return None };
    let ends = |tree: &&TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let TokenTree::Group(body) = rest.iter().find(ends)? else { return None };
    let line = first.span().start().line;
    Some(Function { name: name.to_string(), line, lines: body.span_close().end().line + 1 - line })
}

pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Every text file below the root, without what is built or fetched.
pub(crate) fn all(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    walk(root, root, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn walk(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    const SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "Cargo.lock"];
    for entry in std::fs::read_dir(folder).expect("a folder of the project").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, sources);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            sources.push(Source::new(&relative, &text));
        }
    }
}
