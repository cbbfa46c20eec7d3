import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.json.JSONException;
import org.json.JSONObject;

/** One JSON line a check; what must be done from outside is asked for on the same way. */
final class Report {
    interface Check {
        void run() throws Exception;
    }

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final List<String> cannot;
    private boolean failed;

    /** `cannot` names the checks that this client is known to be unable to pass. */
    Report(List<String> cannot) {
        this.cannot = cannot;
    }

    boolean failed() {
        return failed;
    }

    void say(JSONObject value) {
        out.println(value);
    }

    /** Runs one check; after a failure the later ones, which build on it, are left out. */
    void check(String name, Check check) throws JSONException {
        if (failed || cannot.contains(name)) return;
        try {
            check.run();
            say(new JSONObject().put("check", name).put("ok", true));
        } catch (Exception | AssertionError error) {
            failed = true;
            var text = new StringWriter();
            error.printStackTrace(new PrintWriter(text));
            say(new JSONObject().put("check", name).put("ok", false).put("error", text.toString()));
        }
    }

    /** Asks the runner for something and waits until it is done. */
    void ask(String what) throws Exception {
        say(new JSONObject().put("ask", what));
        in.readLine();
    }
}
