//! Answers in the XML of the query protocol.

use crate::{
    sigv4::Service,
    wire::{asked::Written, xml},
};

/// What stands in `…Result`, as it is written.
#[derive(Debug, Default)]
pub struct Answer {
    result: Option<String>,
}

impl Answer {
    /// Of an operation that has no result.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Of one that has.
    pub fn with_result() -> Self {
        Self { result: Some(String::new()) }
    }

    /// One element with text in it.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        let text = xml::escape(text);
        self.raw(&format!("<{name}>{text}</{name}>"))
    }

    /// The same, if there is a text.
    pub fn maybe(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// One element with others in it.
    pub fn inside(&mut self, name: &str, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.raw(&format!("<{name}>"));
        write(self);
        self.raw(&format!("</{name}>"))
    }

    /// A list: a `member` for each item.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) -> &mut Self {
        self.inside(name, |list| {
            for item in items {
                list.inside("member", |member| write(member, item));
            }
        })
    }

    /// A list of texts.
    pub fn texts<'t>(&mut self, name: &str, items: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.inside(name, |list| {
            for item in items {
                list.text("member", item);
            }
        })
    }

    /// `IsTruncated`, and `Marker` when there is more.
    pub fn paged(&mut self, next: Option<&str>) -> &mut Self {
        self.text("IsTruncated", if next.is_some() { "true" } else { "false" })
            .maybe("Marker", next)
    }

    fn raw(&mut self, text: &str) -> &mut Self {
        self.result.get_or_insert_default().push_str(text);
        self
    }

    /// With everything around it. `request` is the request's id.
    pub fn written(self, service: Service, action: &str, request: &str) -> Written {
        let namespace = match service {
            Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            _ => "https://iam.amazonaws.com/doc/2010-05-08/",
        };
        let result = self.result.map(|result| format!("<{action}Result>{result}</{action}Result>"));
        let result = result.unwrap_or_default();
        let body = format!(
            "<{action}Response xmlns=\"{namespace}\">{result}<ResponseMetadata>\
             <RequestId>{request}</RequestId></ResponseMetadata></{action}Response>"
        );
        Written::of(200, "text/xml", body)
    }
}
