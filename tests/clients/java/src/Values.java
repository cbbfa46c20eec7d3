import java.math.BigDecimal;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.TreeMap;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Compares JSON values that may hold bytes, which `org.json` can't. */
final class Values {
    private Values() {}

    static void same(Object got, Object wanted) throws JSONException {
        String left = plain(got);
        String right = plain(wanted);
        if (!left.equals(right)) throw new AssertionError("got " + head(left) + ", wanted " + head(right));
    }

    private static String head(String text) {
        return text.substring(0, Math.min(1000, text.length()));
    }

    /** One text for equal values: keys sorted, numbers without trailing zeros, bytes in hex. */
    private static String plain(Object value) throws JSONException {
        if (value == null || value == JSONObject.NULL) return "null";
        if (value instanceof byte[] bytes) return "bytes:" + HexFormat.of().formatHex(bytes);
        if (value instanceof Number number) {
            return new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
        }
        if (value instanceof Object[] list) {
            var text = new StringBuilder("[");
            for (Object item : list) text.append(plain(item)).append(',');
            return text.append(']').toString();
        }
        if (value instanceof JSONArray list) return plain(items(list));
        if (value instanceof JSONObject object) {
            var sorted = new TreeMap<String, String>();
            for (Iterator<?> keys = object.keys(); keys.hasNext(); ) {
                String key = (String) keys.next();
                sorted.put(key, plain(object.get(key)));
            }
            return sorted.toString();
        }
        return value instanceof String text ? JSONObject.quote(text) : value.toString();
    }

    static Object[] items(JSONArray list) throws JSONException {
        var items = new Object[list.length()];
        for (int n = 0; n < items.length; n++) items[n] = list.get(n);
        return items;
    }

    /** An object of these keys and values, one after the other. */
    static JSONObject object(Object... pairs) throws JSONException {
        var object = new JSONObject();
        for (int n = 0; n < pairs.length; n += 2) object.put((String) pairs[n], pairs[n + 1]);
        return object;
    }

    static JSONArray array(Object... items) {
        var array = new JSONArray();
        for (Object item : items) array.put(item);
        return array;
    }
}
