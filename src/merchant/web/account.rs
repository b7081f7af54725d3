//! Signing up, in and out.

use crate::domain::locale::Locale;
use crate::merchant::account::{SIGNED_IN_S, email, kept, new_token, new_user};
use crate::merchant::failure::{Said, ShopError};
use crate::merchant::password::{BYTES_MAX, CHARACTERS_MIN};
use crate::merchant::server::Desk;
use crate::merchant::web::page::{self, SignForm};
use crate::merchant::web::route::Outcome;
use crate::merchant::web::visit::{Visit, keep_language, keep_token, own_path};
use crate::shop::answer::{self, Answer};
use hyper::StatusCode;
use std::sync::Arc;
use url::form_urlencoded;

/// Where somebody is sent who has just signed in and came from nowhere.
const AFTER: &str = "/account";

/// The page for signing in.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn sign_in_page(visit: &Visit) -> Outcome {
    Ok(page::sign(visit, StatusCode::OK, &blank(visit, false)))
}

/// The page for making an account.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn sign_up_page(visit: &Visit) -> Outcome {
    Ok(page::sign(visit, StatusCode::OK, &blank(visit, true)))
}

fn blank(visit: &Visit, is_new: bool) -> SignForm<'_> {
    let next = own_path(visit.query.text("next")).unwrap_or_default();
    SignForm { is_new, email: "", next, said: None }
}

/// Sends whoever is not signed in to where that is done, and back afterwards.
pub fn to_sign_in(visit: &Visit) -> Answer {
    // A form that was sent is not sent again: its page is shown once more.
    let next: String = form_urlencoded::byte_serialize(visit.here().as_bytes()).collect();
    go(&format!("/login?next={next}"))
}

fn go(path: &str) -> Answer {
    let home = || answer::plain(303, String::new());
    answer::see_other(path).unwrap_or_else(home)
}

/// Makes an account and signs its owner in.
pub async fn sign_up(desk: Arc<Desk>, visit: Visit) -> Outcome {
    if let Err(wait_s) = desk.tries.sign_up.take("all", visit.now) {
        return Ok(told(&visit, true, &ShopError::TooOften { wait_s }));
    }
    let (address, password) = match asked(&visit) {
        Ok(asked) => asked,
        Err(said) => return Ok(told(&visit, true, &ShopError::bad(said))),
    };
    let Some(hash) = desk.passwords.hash(password).await else {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(ShopError::Refused(status, |words| words.error_store));
    };
    let user = new_user(address, visit.now)?;
    let id = user.id.clone();
    if !desk.database.change(move |base| base.add_user(&user, &hash)).await? {
        // Not that there is such an account, for that is nobody's business.
        return Ok(told(&visit, true, &ShopError::bad(|words| words.error_sign_up)));
    }
    enter(&desk, &visit, id).await
}

fn asked(visit: &Visit) -> Result<(String, String), Said> {
    let address = email(visit.form.text("email"));
    let address = address.ok_or::<Said>(|words| words.error_email)?;
    let password = visit.form.text("password");
    if password.chars().count() < CHARACTERS_MIN || password.len() > BYTES_MAX {
        return Err(|words| words.error_password);
    }
    Ok((address, password.to_owned()))
}

/// Signs in. An address that has no account is answered like a wrong password, and as late.
pub async fn sign_in(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let address = email(visit.form.text("email")).unwrap_or_default();
    if let Err(wait_s) = desk.tries.sign_in.take(&address, visit.now) {
        return Ok(told(&visit, false, &ShopError::TooOften { wait_s }));
    }
    let wanted = address.clone();
    let found = desk.database.look(move |base| base.user_by_email(&wanted)).await?;
    let mut password = visit.form.text("password").to_owned();
    if password.len() > BYTES_MAX {
        password.clear();
    }
    let hash = found.as_ref().map(|(_, hash)| hash.as_str());
    let is_right = desk.passwords.verify(password, hash).await;
    let Some((user, _)) = found.filter(|_| is_right) else {
        let status = StatusCode::UNAUTHORIZED;
        let error = ShopError::Refused(status, |words| words.error_sign_in);
        return Ok(told(&visit, false, &error));
    };
    desk.tries.sign_in.forget(&address);
    enter(&desk, &visit, user.id).await
}

/// Signs somebody in with a token that nobody has seen before, and sends them on.
async fn enter(desk: &Desk, visit: &Visit, user: String) -> Outcome {
    let (token, now, old) = (new_token()?, visit.now, kept(&visit.token));
    let hash = kept(&token);
    let change = desk.database.change(move |base| {
        base.close_session(&old, now)?;
        base.open_session(&hash, &user, now, now.plus(SIGNED_IN_S))
    });
    change.await?;
    let mut answer = go(own_path(visit.form.text("next")).unwrap_or(AFTER));
    keep_token(&mut answer, &token);
    Ok(answer)
}

/// Signs out: what the browser keeps proves nothing any more, and is replaced.
pub async fn sign_out(desk: Arc<Desk>, visit: Visit) -> Outcome {
    let (old, now) = (kept(&visit.token), visit.now);
    desk.database.change(move |base| base.close_session(&old, now)).await?;
    let mut answer = go("/");
    keep_token(&mut answer, &new_token()?);
    Ok(answer)
}

/// Says on the form why it was not done.
fn told(visit: &Visit, is_new: bool, error: &ShopError) -> Answer {
    let said = error.said(visit.words());
    let next = own_path(visit.form.text("next")).unwrap_or_default();
    let email = visit.form.text("email");
    let form = SignForm { is_new, email, next, said: Some(&said) };
    page::sign(visit, error.status(), &form)
}

/// Keeps the language that somebody chose, and goes back.
#[expect(clippy::unnecessary_wraps, reason = "as every page of the shop")]
pub fn language(visit: &Visit) -> Outcome {
    let mut answer = go(own_path(visit.query.text("back")).unwrap_or("/"));
    if let Some(locale) = Locale::read(visit.query.text("to")) {
        keep_language(&mut answer, locale);
    }
    Ok(answer)
}
