// Java's own client, which offers h2c with every call over http.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class JavaClient {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest.Builder call = HttpRequest.newBuilder(URI.create(args[0] + "/v1/things"))
            .header("Authorization", "Bearer " + System.getenv("TOKEN"));
        StringBuilder answers = new StringBuilder();
        for (HttpRequest request : new HttpRequest[] {
            call.copy().GET().build(),
            call.copy().POST(BodyPublishers.ofString("hello")).build(),
            call.copy().method("HEAD", BodyPublishers.noBody()).build(),
        }) {
            var answer = client.send(request, BodyHandlers.ofString());
            answers.append(request.method()).append(' ').append(answer.statusCode()).append(' ').append(answer.body()).append('\n');
        }
        System.out.print(answers);
    }
}
