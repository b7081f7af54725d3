//! Every public item of the source says what it is. The compiler asks that only of what leaves the crate.

use crate::tidy;
use syn::visit::Visit;

/// Templates of pages, whose members are named after where they stand in the page.
const TEMPLATES: &str = "sandbox/page/view.rs";

#[derive(Default)]
struct Undocumented {
    lines: Vec<(usize, String)>,
}

impl Undocumented {
    fn note(&mut self, attributes: &[syn::Attribute], name: &syn::Ident) {
        let said = |it: &syn::Attribute| it.path().is_ident("doc") || it.path().is_ident("test");
        if !attributes.iter().any(said) {
            self.lines.push((name.span().start().line, name.to_string()));
        }
    }

    fn note_public(
        &mut self,
        seen: &syn::Visibility,
        attributes: &[syn::Attribute],
        name: &syn::Ident,
    ) {
        if matches!(seen, syn::Visibility::Public(_)) {
            self.note(attributes, name);
        }
    }

    fn note_fields(&mut self, fields: &syn::Fields) {
        for field in fields {
            if let Some(name) = &field.ident {
                self.note_public(&field.vis, &field.attrs, name);
            }
        }
    }
}

impl<'a> Visit<'a> for Undocumented {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !item.attrs.iter().any(tidy::is_for_tests) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.note_public(&item.vis, &item.attrs, &item.sig.ident);
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.note_public(&item.vis, &item.attrs, &item.ident);
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.note_public(&item.vis, &item.attrs, &item.ident);
    }

    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.note_public(&item.vis, &item.attrs, &item.ident);
        self.note_fields(&item.fields);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        if !matches!(item.vis, syn::Visibility::Public(_)) {
            return;
        }
        self.note(&item.attrs, &item.ident);
        for variant in &item.variants {
            self.note(&variant.attrs, &variant.ident);
            for field in &variant.fields {
                if let Some(name) = &field.ident {
                    self.note(&field.attrs, name);
                }
            }
        }
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.note_public(&item.vis, &item.attrs, &item.ident);
        for method in &item.items {
            if let (syn::TraitItem::Fn(method), syn::Visibility::Public(_)) = (method, &item.vis) {
                self.note(&method.attrs, &method.sig.ident);
            }
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.note_public(&item.vis, &item.attrs, &item.sig.ident);
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.note_public(&item.vis, &item.attrs, &item.ident);
    }
}

fn undocumented(text: &str) -> Vec<(usize, String)> {
    let mut found = Undocumented::default();
    found.visit_file(&syn::parse_file(text).unwrap());
    found.lines
}

#[test]
fn every_public_item_says_what_it_is() {
    let mut wrong = Vec::new();
    for (path, text) in tidy::files_of_source() {
        if path != TEMPLATES {
            let found = undocumented(&text).into_iter();
            wrong.extend(found.map(|(line, name)| format!("src/{path}:{line}: {name}")));
        }
    }
    assert!(wrong.is_empty(), "public and without a word about it:\n{}", wrong.join("\n"));
}

#[test]
fn the_guard_of_documentation_sees_every_kind_of_item() {
    let text = "pub fn a() {}\npub const B: u8 = 0;\npub type C = u8;\npub struct D { pub e: u8 }\n\
        pub enum F { G { h: u8 } }\npub trait I { fn j(); }\nimpl D { pub fn k() {} pub const L: u8 = 0; }\n\
        /// Said.\npub fn said() {}\nfn private() {}\n#[cfg(test)]\nmod tests { pub fn only() {} }\n";
    let names: Vec<String> = undocumented(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["a", "B", "C", "D", "e", "F", "G", "h", "I", "j", "k", "L"]);
}
