import io.socket.client.Socket;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** The chat scenario: two people on the real server, both on the client under test. */
final class Chat {
    private static final List<String> EVENTS =
            List.of("private_message", "typing", "message_read", "online_users", "user_online", "user_offline", "error");
    private static final String UNACKNOWLEDGED = "without an acknowledgement";

    private final String url;
    private final String transport;
    private final String text;
    private final JSONObject annUser;
    private final JSONObject benUser;
    private final Report report;
    private final Peer ann;
    private final Peer ben;
    private JSONObject first;
    private JSONObject second;

    Chat(JSONObject job, Report report) throws JSONException {
        url = job.getString("url");
        transport = job.getString("transport");
        text = job.getString("text");
        annUser = job.getJSONArray("people").getJSONObject(0);
        benUser = job.getJSONArray("people").getJSONObject(1);
        this.report = report;
        ann = open(annUser.getString("token"));
        ben = open(benUser.getString("token"));
    }

    private Peer open(String token) {
        return Peer.open(url, transport, Map.of("token", token), EVENTS);
    }

    void run() throws JSONException {
        report.check("connect", this::connect);
        report.check("refused", this::refused);
        report.check("ack", this::ack);
        report.check("delivery", () -> Values.same(ben.next("private_message"), new Object[] {first}));
        report.check("confirmed", this::confirmed);
        report.check("typing", this::typing);
        report.check("read", this::read);
        report.check("history", this::history);
        report.check("failed", this::failed);
        report.check("reconnect", this::reconnect);
        report.check("disconnect", this::disconnect);
    }

    private JSONObject toBen(String message) throws JSONException {
        return Values.object("receiverId", benUser.getString("id"), "message", message);
    }

    private static JSONObject person(JSONObject user) throws JSONException {
        return Values.object("userId", user.getString("id"), "username", user.getString("username"));
    }

    /** The only argument of an event. */
    private static JSONObject only(Object[] args) {
        if (args.length != 1) throw new AssertionError(args.length + " arguments");
        return (JSONObject) args[0];
    }

    private void connect() throws Exception {
        ann.connect();
        Values.same(ann.next("online_users"), new Object[] {new JSONArray()});
        ben.connect();
        var online = (JSONArray) ben.next("online_users")[0];
        Values.same(online.length(), 1);
        Values.same(online.getJSONObject(0).get("userId"), annUser.get("id"));
        Values.same(only(ann.next("user_online")), person(benUser));
        ann.reached(transport);
        ben.reached(transport);
    }

    private void refused() throws Exception {
        Peer stranger = open("not a token");
        stranger.socket.connect();
        JSONObject error = only(stranger.next(Socket.EVENT_CONNECT_ERROR));
        JSONObject data = error.getJSONObject("data");
        Values.same(data.get("code"), "unauthorized");
        Values.same(error.get("message"), data.get("message"));
        Values.same(stranger.socket.connected(), false);
        stranger.socket.disconnect();
    }

    private void ack() throws Exception {
        JSONObject answer = only(ann.ask("private_message", toBen(text)));
        Values.same(answer.get("ok"), true);
        first = answer.getJSONObject("message");
        Values.same(first.get("message"), text);
        Values.same(first.get("senderId"), annUser.get("id"));
        Values.same(first.get("receiverId"), benUser.get("id"));
        Values.same(first.get("seq"), 1);
    }

    private void confirmed() throws Exception {
        var receiver = annUser.getString("id");
        ben.socket.emit("private_message", Values.object("receiverId", receiver, "message", UNACKNOWLEDGED));
        second = only(ben.next("private_message"));
        Values.same(second.get("message"), UNACKNOWLEDGED);
        Values.same(only(ann.next("private_message")), second);
    }

    private void typing() throws Exception {
        var receiver = benUser.getString("id");
        ann.socket.emit("typing", Values.object("receiverId", receiver, "isTyping", true));
        Values.same(only(ben.next("typing")), typist(true));
        JSONObject answer = only(ann.ask("typing", Values.object("receiverId", receiver, "isTyping", false)));
        Values.same(answer, Values.object("ok", true));
        Values.same(only(ben.next("typing")), typist(false));
    }

    private JSONObject typist(boolean isTyping) throws JSONException {
        return Values.object(
                "senderId", annUser.get("id"), "username", annUser.get("username"), "isTyping", isTyping);
    }

    private void read() throws Exception {
        JSONObject upTo = Values.object("messageId", first.get("id"));
        Values.same(only(ben.ask("message_read", upTo)), Values.object("ok", true, "count", 1));
        Values.same(only(ann.next("message_read")), upTo);
    }

    private void history() throws Exception {
        JSONObject page = only(ann.ask("get_chat_history", Values.object("otherUserId", benUser.get("id"))));
        Values.same(page.get("ok"), true);
        JSONArray messages = page.getJSONArray("messages");
        Values.same(messages.length(), 2);
        Values.same(messages.getJSONObject(0).get("id"), first.get("id"));
        Values.same(messages.getJSONObject(0).get("message"), text);
        Values.same(messages.getJSONObject(1).get("id"), second.get("id"));
        Values.same(messages.getJSONObject(1).get("message"), UNACKNOWLEDGED);
    }

    private void failed() throws Exception {
        JSONObject answer = only(ann.ask("private_message", toBen("")));
        Values.same(answer.get("ok"), false);
        Values.same(answer.getJSONObject("error").get("code"), "invalid_input");
        ann.socket.emit("private_message", toBen(""));
        Values.same(only(ann.next("error")).get("code"), "invalid_input");
    }

    private void reconnect() throws Exception {
        report.ask("restart");
        ann.returned();
        ben.returned();
        JSONObject answer = only(ann.ask("private_message", toBen("after the restart")));
        Values.same(answer.getJSONObject("message").get("seq"), 3);
        Values.same(only(ben.next("private_message")), answer.getJSONObject("message"));
        ann.reached(transport);
        ben.reached(transport);
    }

    private void disconnect() throws Exception {
        ben.socket.disconnect();
        Values.same(ben.next(Socket.EVENT_DISCONNECT), new Object[] {"io client disconnect"});
        Values.same(only(ann.next("user_offline")), person(benUser));
        ann.socket.disconnect();
    }
}
