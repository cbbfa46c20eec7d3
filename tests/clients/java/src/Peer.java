import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One socket of the client under test, with an inbox: every event is kept from the first on, so that no check races it. */
final class Peer {
    private static final long WAIT_MS = 15_000;

    private record Event(String name, Object[] args) {}

    private final List<Event> inbox = new ArrayList<>();
    final Socket socket;

    /** Keeps the events of these names, and the client's own ones. */
    Peer(Socket socket, List<String> names) {
        this.socket = socket;
        var all = new ArrayList<>(List.of(Socket.EVENT_CONNECT, Socket.EVENT_CONNECT_ERROR, Socket.EVENT_DISCONNECT));
        all.addAll(names);
        for (String name : all) socket.on(name, args -> arrived(new Event(name, args)));
    }

    /** A connection of its own over this transport. */
    static Peer open(String url, String transport, Map<String, String> auth, List<String> names) {
        var options = new IO.Options();
        options.transports = transport.equals("upgrade") ? new String[] {"polling", "websocket"} : new String[] {transport};
        options.auth = auth;
        options.forceNew = true;
        options.reconnectionDelay = 50;
        options.reconnectionDelayMax = 200;
        return new Peer(IO.socket(URI.create(url), options), names);
    }

    private synchronized void arrived(Event event) {
        inbox.add(event);
        notifyAll();
    }

    /** Takes the next event of this name: its arguments. */
    synchronized Object[] next(String name) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WAIT_MS);
        for (;;) {
            for (Event event : inbox) {
                if (event.name.equals(name)) {
                    inbox.remove(event);
                    return event.args;
                }
            }
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                var there = inbox.stream().map(event -> event.name + Arrays.toString(event.args)).toList();
                throw new AssertionError("no " + name + " in " + WAIT_MS + " ms; there were " + there);
            }
            wait(left);
        }
    }

    /** How many events of this name nobody has taken. */
    synchronized long pending(String name) {
        return inbox.stream().filter(event -> event.name.equals(name)).count();
    }

    Peer connect() throws InterruptedException {
        socket.connect();
        next(Socket.EVENT_CONNECT);
        return this;
    }

    /** Waits until the connection is lost and the client has come back by itself. */
    void returned() throws InterruptedException {
        next(Socket.EVENT_DISCONNECT);
        next(Socket.EVENT_CONNECT);
    }

    /** Emits and waits for the acknowledgement: its arguments. */
    Object[] ask(String name, Object... args) throws Exception {
        var answer = new CompletableFuture<Object[]>();
        socket.emit(name, args, (Ack) answer::complete);
        return answer.get(WAIT_MS, TimeUnit.MILLISECONDS);
    }

    /**
     * Waits until this transport is the one in use. The client shows its Engine.IO socket to nobody, so it is looked at
     * through its field.
     */
    void reached(String transport) throws Exception {
        var wanted = transport.equals("polling") ? "polling" : "websocket";
        var upgraded = new CompletableFuture<Void>();
        var engine = (io.socket.engineio.client.Socket) field(Manager.class, "engine", socket.io());
        engine.once(io.socket.engineio.client.Socket.EVENT_UPGRADE, args -> upgraded.complete(null));
        if (name(engine).equals(wanted)) return;
        if (!transport.equals("upgrade")) throw new AssertionError("connected over " + name(engine));
        upgraded.get(WAIT_MS, TimeUnit.MILLISECONDS);
    }

    private static String name(io.socket.engineio.client.Socket engine) throws ReflectiveOperationException {
        var transport = field(io.socket.engineio.client.Socket.class, "transport", engine);
        return ((io.socket.engineio.client.Transport) transport).name;
    }

    private static Object field(Class<?> owner, String name, Object of) throws ReflectiveOperationException {
        var field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }
}
