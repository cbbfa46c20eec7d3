//! Conversations: their history, and the list of them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use chat_domain::model::UserId;

use super::accounts::{render, respond, within};
use crate::{
    app::App,
    bearer::identify,
    wire::{
        HistoryParams, ListParams, parse_conversation_cursor, parse_id, parse_query, write_conversations,
        write_history,
    },
};

/// `GET /api/chat/history/:userId`
pub(super) async fn history(request: HttpRequest, other: Path<String>, app: Data<App>) -> HttpResponse {
    let asking = async {
        let me = identify(&request, &app).await?;
        let other: UserId = parse_id("userId", &other)?;
        let page: HistoryParams = parse_query(request.query_string())?;
        let page = app.chat.history.page(me.user, other, page.try_into()?).await?;
        Ok(render(|out| {
            out.push(b'{');
            write_history(out, other, &page, true);
            out.push(b'}');
        }))
    };
    respond(StatusCode::OK, within(&app, asking).await)
}

/// `GET /api/chat/conversations`
pub(super) async fn conversations(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let asking = async {
        let me = identify(&request, &app).await?;
        let ListParams { limit, after } = parse_query(request.query_string())?;
        let after = after.as_deref().map(parse_conversation_cursor).transpose()?;
        let page = app.chat.history.conversations(me.user, after, limit).await?;
        Ok(render(|out| {
            out.push(b'{');
            write_conversations(out, &page);
            out.push(b'}');
        }))
    };
    respond(StatusCode::OK, within(&app, asking).await)
}
