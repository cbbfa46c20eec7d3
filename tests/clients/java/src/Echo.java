import io.socket.client.Ack;
import io.socket.client.Manager;
import io.socket.client.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.json.JSONException;
import org.json.JSONObject;

/** The echo scenario: arguments, attachments, acknowledgements and namespaces, there and back. */
final class Echo {
    private static final List<String> EVENTS = List.of("auth", "message-back", "emit-with-ack");
    private static final int BURST = 100;
    // This client's `auth` holds texts only.
    private static final Map<String, String> AUTH = Map.of("token", "any");

    private final String url;
    private final String transport;
    private final Object[] plainArgs;
    private final long heartbeatMs;
    private final Report report;
    private final Peer peer;
    private final Peer custom;

    Echo(JSONObject job, Report report) throws JSONException {
        url = job.getString("url");
        transport = job.getString("transport");
        plainArgs = Values.items(job.getJSONArray("plainArgs"));
        heartbeatMs = job.getLong("heartbeatMs");
        this.report = report;
        peer = open(AUTH);
        custom = beside("/custom", Map.of("of", "custom"));
    }

    private Peer open(Map<String, String> auth) {
        return Peer.open(url, transport, auth, EVENTS);
    }

    /** Another namespace over the same connection. */
    private Peer beside(String namespace, Map<String, String> auth) {
        var options = new Manager.Options();
        options.auth = auth;
        return new Peer(peer.socket.io().socket(namespace, options), EVENTS);
    }

    void run() throws JSONException {
        report.check("auth", this::auth);
        report.check("plain", () -> echoed(peer, plainArgs));
        report.check("binary", () -> echoed(peer, binaryArgs()));
        report.check("ack", this::ack);
        report.check("ack-binary", () -> Values.same(peer.ask("message-with-ack", binaryArgs()), binaryArgs()));
        report.check("server-ack", this::serverAck);
        report.check("namespace", this::namespace);
        report.check("namespace-close", this::namespaceClose);
        report.check("unknown-namespace", this::unknownNamespace);
        report.check("order", this::order);
        report.check("large", () -> echoed(peer, "ü€🙂".repeat(11_111), pattern(300_000)));
        report.check("heartbeat", this::heartbeat);
        report.check("cut", this::cut);
        report.check("disconnect", this::disconnect);
    }

    private static byte[] pattern(int length) {
        var bytes = new byte[length];
        for (int n = 0; n < length; n++) bytes[n] = (byte) (n * 31 + (n >> 8));
        return bytes;
    }

    /** Four attachments, one of them empty, at several depths. */
    private static Object[] binaryArgs() throws JSONException {
        var list = Values.array("x", new byte[0], Values.object("deep", new byte[] {0}));
        return new Object[] {Values.object("head", pattern(256), "list", list, "n", 1), pattern(30_000), "tail"};
    }

    private static void echoed(Peer peer, Object... args) throws Exception {
        peer.socket.emit("message", args);
        Values.same(peer.next("message-back"), args);
    }

    private void auth() throws Exception {
        peer.connect();
        Values.same(peer.next("auth"), new Object[] {new JSONObject(AUTH)});
        peer.reached(transport);
    }

    private void ack() throws Exception {
        Values.same(peer.ask("message-with-ack", plainArgs), plainArgs);
        Values.same(peer.ask("message-with-ack"), new Object[0]);
    }

    private void serverAck() throws Exception {
        peer.socket.emit("emit-with-ack", binaryArgs());
        Object[] asked = peer.next("emit-with-ack");
        int last = asked.length - 1;
        Values.same(Arrays.copyOf(asked, last), binaryArgs());
        Object[] back = {Values.object("mine", pattern(77)), "and text", pattern(3)};
        ((Ack) asked[last]).call(back);
        // The client takes the bytes out of what it is given, so what is awaited is made anew.
        Values.same(
                peer.next("emit-with-ack"), new Object[] {Values.object("mine", pattern(77)), "and text", pattern(3)});
    }

    private void namespace() throws Exception {
        custom.connect();
        Values.same(custom.next("auth"), new Object[] {Values.object("of", "custom")});
        echoed(custom, binaryArgs());
        Values.same(custom.ask("message-with-ack", "custom"), new Object[] {"custom"});
        Values.same(peer.pending("message-back"), 0);
    }

    private void namespaceClose() throws Exception {
        custom.socket.disconnect();
        custom.next(Socket.EVENT_DISCONNECT);
        echoed(peer, "still here");
    }

    private void unknownNamespace() throws Exception {
        Peer nowhere = beside("/nowhere", Map.of());
        nowhere.socket.connect();
        var error = (JSONObject) nowhere.next(Socket.EVENT_CONNECT_ERROR)[0];
        Values.same(error.get("message"), "Invalid namespace");
        echoed(peer, "still here");
    }

    private static Object[] numbered(int n) {
        return new Object[] {n, n % 2 == 1 ? pattern(n) : "text"};
    }

    private void order() throws Exception {
        Peer fresh = open(Map.of());
        fresh.socket.once(Socket.EVENT_CONNECT, args -> {
            for (int n = 0; n < BURST; n++) fresh.socket.emit("message", numbered(n));
        });
        fresh.connect();
        for (int n = 0; n < BURST; n++) Values.same(fresh.next("message-back"), numbered(n));
        fresh.socket.disconnect();
    }

    private void heartbeat() throws Exception {
        String id = peer.socket.id();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(heartbeatMs);
        for (int n = 0; System.nanoTime() < end; n++) echoed(peer, n);
        Values.same(peer.socket.id(), id);
        Values.same(peer.pending(Socket.EVENT_DISCONNECT), 0);
    }

    private void differs(String id) {
        if (id.equals(peer.socket.id())) throw new AssertionError("the id is the old one");
    }

    private void cut() throws Exception {
        String id = peer.socket.id();
        report.ask("cut");
        peer.next(Socket.EVENT_DISCONNECT);
        report.ask("mend");
        peer.next(Socket.EVENT_CONNECT);
        differs(id);
        Values.same(peer.next("auth"), new Object[] {new JSONObject(AUTH)});
        echoed(peer, binaryArgs());
        peer.reached(transport);
    }

    private void disconnect() throws Exception {
        String id = peer.socket.id();
        peer.socket.disconnect();
        peer.next(Socket.EVENT_DISCONNECT);
        peer.connect();
        differs(id);
        Values.same(peer.next("auth"), new Object[] {new JSONObject(AUTH)});
        echoed(peer, plainArgs);
        peer.socket.disconnect();
    }
}
