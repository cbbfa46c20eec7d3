//! Blocks: the list of whom one blocks.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};

use super::accounts::{render, respond, within};
use crate::{
    app::App,
    bearer::identify,
    wire::{ListParams, parse_id, parse_query, write_blocked},
};

/// `GET /api/blocks`
pub(super) async fn blocks(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asking = async {
        let me = identify(&request, &app).await?;
        let ListParams { limit, after } = parse_query(request.query_string())?;
        let after = after.as_deref().map(|after| parse_id("after", after)).transpose()?;
        let page = app.chat.blocking.list(me.user, after, limit).await?;
        Ok(render(|out| {
            out.push(b'{');
            write_blocked(out, &page);
            out.push(b'}');
        }))
    };
    respond(StatusCode::OK, within(&app, asking).await)
}
