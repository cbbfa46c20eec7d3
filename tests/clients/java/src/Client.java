import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.json.JSONArray;
import org.json.JSONObject;

/** `Client JOB`: puts the Java client through one scenario. */
public final class Client {
    private static final String ABOUT = "/META-INF/maven/io.socket/socket.io-client/pom.properties";

    public static void main(String[] args) throws Exception {
        var job = new JSONObject(args[0]);
        var report = new Report(cannot(job));
        report.say(new JSONObject().put("version", version()));
        switch (job.getString("scenario")) {
            case "chat" -> new Chat(job, report).run();
            case "echo" -> new Echo(job, report).run();
            default -> throw new IllegalArgumentException(job.getString("scenario"));
        }
        // The client's threads would go on.
        System.exit(report.failed() ? 1 : 0);
    }

    private static List<String> cannot(JSONObject job) throws Exception {
        JSONArray names = job.getJSONArray("cannot");
        var list = new ArrayList<String>();
        for (int n = 0; n < names.length(); n++) list.add(names.getString(n));
        return list;
    }

    private static String version() throws Exception {
        var properties = new Properties();
        try (InputStream in = Client.class.getResourceAsStream(ABOUT)) {
            properties.load(in);
        }
        return properties.getProperty("version");
    }
}
