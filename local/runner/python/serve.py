"""A model server as SageMaker's XGBoost and scikit-learn images start one: /ping, /invocations, /execution-parameters.

    serve.py FRAMEWORK IMAGE_VERSION ARCHIVE      e.g. sagemaker-xgboost 3.2-0 /.../model.tar.gz

Unpacks the archive into the model folder, loads the model, listens on 127.0.0.1 at a free port and writes that port to
file descriptor 4 as soon as it answers. With SAGEMAKER_PROGRAM in the environment the user's handlers in model/code are
used, else the algorithm's own. SAGEMAKER_BASE_DIR is where /opt/ml is, when it cannot be shown at its own place.
"""

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rewrite import rewrite_folder

BASE = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
MODEL = BASE / "model"
PORT_DESCRIPTOR = 4
MAX_BODY = 6 * 1024 * 1024  # what the images accept
BATCH = os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"
CSV, JSON, JSON_LINES, NPY = "text/csv", "application/json", "application/jsonlines", "application/x-npy"


class Refusal(Exception):
    """An answer other than 200; the images tell their reasons as plain text."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def unpack(archive):
    """Only regular files and folders below the model folder: an archive is other people's data."""
    MODEL.mkdir(parents=True, exist_ok=True)
    root = str(MODEL)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = os.path.normpath(os.path.join(root, member.name))
            if not (member.isfile() or member.isdir()) or os.path.commonpath([root, path]) != root:
                raise ValueError(f"the model archive holds {member.name}, which is no plain file below the model folder")
            member.mode |= 0o700 if member.isdir() else 0o600
            if hasattr(tarfile, "data_filter"):
                tar.extract(member, root, filter="data")
            else:
                tar.extract(member, root)


def media_type(header, default):
    """The first type of a Content-Type or Accept header, without parameters."""
    name = (header or "").split(",")[0].split(";")[0].strip().lower()
    return default if name in ("", "*/*", "application/*", "text/*") else name


def json_scores(values):
    return [{"score": value} for value in values]


class XGBoostAlgorithm:
    """The built-in algorithm: CSV or libsvm rows without label in, predictions out."""

    accepts = (CSV, JSON, JSON_LINES)

    def __init__(self):
        sys.modules["pandas"] = sys.modules["sklearn"] = None  # not needed, and slow to import
        import xgboost

        self.xgboost = xgboost
        self.lock = threading.Lock()
        self.booster = self.load()
        self.booster.set_param("nthread", 1)

    def load(self):
        files = sorted(path for path in MODEL.iterdir() if path.is_file() and not path.name.startswith("."))
        if not files:
            raise ValueError("the model archive holds no file")
        file = next((path for path in files if path.name == "xgboost-model"), files[0])
        booster = self.xgboost.Booster()
        booster.load_model(bytearray(file.read_bytes()))
        return booster

    def matrix(self, body, content_type):
        from xgboost_data import DataError, content_kind, parse_csv, parse_libsvm

        kind = content_kind(content_type)
        if kind is None:
            raise Refusal(415, f"Content-type {content_type} not supported. Supported content-type is text/csv, text/libsvm")
        try:
            text = body.decode("utf-8").strip()
            rows = parse_csv(text) if kind == "csv" else parse_libsvm(text)[1]
        except (DataError, ValueError) as error:
            raise Refusal(415, f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n {error}") from None
        return self.xgboost.DMatrix(rows)

    def invoke(self, body, content_type, accept):
        if not body:
            return 204, CSV, b""
        matrix = self.matrix(body, media_type(content_type, CSV) if ";" not in (content_type or "") else content_type)
        accept = media_type(accept, CSV)
        if accept not in self.accepts:
            raise Refusal(406, f"Accept type {accept} is not supported. Please use supported accept types: {', '.join(self.accepts)}.")
        try:
            with self.lock:
                predictions = self.booster.predict(matrix, validate_features=False).tolist()
        except Exception as error:
            raise Refusal(400, f"Unable to evaluate payload provided: {error}") from None
        return 200, accept, self.encode(predictions, accept).encode()

    def encode(self, predictions, accept):
        if accept == JSON:
            return json.dumps({"predictions": json_scores(predictions)})
        if accept == JSON_LINES:
            return "".join(f"{json.dumps(score)}\n" for score in json_scores(predictions))
        lines = [str(value) for value in predictions]
        if BATCH:
            return "".join(f"{line}\n" for line in lines)
        return "\n".join(lines)


def decode_array(body, content_type):
    """What the inference toolkits' default input_fn makes of a request body."""
    import numpy as np

    if content_type == CSV:
        return np.genfromtxt(io.StringIO(body.decode()), delimiter=",")
    if content_type == JSON:
        return np.array(json.loads(body))
    if content_type == NPY:
        return np.load(io.BytesIO(body), allow_pickle=False)
    raise Refusal(415, f"Content type {content_type} is not supported by this framework. Please implement input_fn.")


def encode_array(prediction, accept):
    """What the inference toolkits' default output_fn makes of a prediction."""
    import numpy as np

    if accept == JSON:
        return json.dumps(np.asarray(prediction).tolist())
    if accept == CSV:
        rows = np.asarray(prediction)
        buffer = io.StringIO()
        np.savetxt(buffer, rows if rows.ndim > 1 else rows.reshape(1, -1), delimiter=",", fmt="%s")
        return buffer.getvalue()
    if accept == NPY:
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(prediction), allow_pickle=False)
        return buffer.getvalue()
    raise Refusal(406, f"Accept type {accept} is not supported by this framework. Please implement output_fn.")


class ScriptMode:
    """The user's own handlers: model_fn, and either transform_fn or input_fn, predict_fn, output_fn with defaults."""

    def __init__(self, framework, program):
        code = MODEL / "code"
        file = code / program
        if not file.is_file():
            raise ValueError(f"code/{program} (SAGEMAKER_PROGRAM) is not in the model archive")
        if str(BASE) != "/opt/ml":
            rewrite_folder(code, str(BASE))
        requirements = code / "requirements.txt"
        if requirements.exists():
            pip = subprocess.run([sys.executable, "-m", "pip", "install", "-r", str(requirements)], check=False)
            if pip.returncode != 0:
                print("requirements.txt could not be installed; going on with what is there", flush=True)
        sys.path.insert(0, str(code))
        spec = importlib.util.spec_from_file_location(Path(program).stem, file)
        self.module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = self.module
        spec.loader.exec_module(self.module)
        self.framework = framework
        self.lock = threading.Lock()
        if not hasattr(self.module, "model_fn"):
            raise ValueError(f"code/{program} defines no model_fn")
        self.model = self.module.model_fn(str(MODEL))

    def default_input(self, body, content_type):
        array = decode_array(body, content_type)
        if self.framework == "sagemaker-xgboost":
            import xgboost

            return xgboost.DMatrix(array if array.ndim > 1 else array.reshape(1, -1))
        return array

    @staticmethod
    def default_predict(data, model):
        return model.predict(data)

    def invoke(self, body, content_type, accept):
        content_type = media_type(content_type, CSV if self.framework == "sagemaker-xgboost" else JSON)
        accept = media_type(accept, CSV if self.framework == "sagemaker-xgboost" else JSON)
        text_body = body.decode() if content_type in (CSV, JSON) else body
        module = self.module
        with self.lock:
            if hasattr(module, "transform_fn"):
                result = module.transform_fn(self.model, text_body, content_type, accept)
            else:
                if hasattr(module, "input_fn"):
                    data = module.input_fn(text_body, content_type)
                else:
                    data = self.default_input(body, content_type)
                prediction = getattr(module, "predict_fn", self.default_predict)(data, self.model)
                result = getattr(module, "output_fn", encode_array)(prediction, accept)
        if isinstance(result, tuple):
            result, accept = result
        return 200, accept, result.encode() if isinstance(result, str) else bytes(result)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "model-server"
    sys_version = ""
    # Answers are small and in two writes; Nagle's algorithm would hold the second back for 40 ms.
    disable_nagle_algorithm = True
    model = None

    def answer(self, status, content_type, body):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, "text/plain", b"")
        elif self.path == "/execution-parameters":
            parameters = {"MaxConcurrentTransforms": os.cpu_count(), "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
            self.answer(200, JSON, json.dumps(parameters).encode())
        else:
            self.answer(404, "text/plain", b"Not Found")

    def do_POST(self):
        if self.path != "/invocations":
            return self.answer(404, "text/plain", b"Not Found")
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return self.answer(413, "text/plain", b"Request Entity Too Large")
        body = self.rfile.read(length)
        try:
            return self.answer(*self.model.invoke(body, self.headers.get("Content-Type"), self.headers.get("Accept")))
        except Refusal as refusal:
            return self.answer(refusal.status, "text/plain", str(refusal).encode())
        except Exception as error:
            print(traceback.format_exc(), file=sys.stderr, flush=True)
            return self.answer(500, "text/plain", f"{type(error).__name__}: {error}".encode())

    def log_request(self, code="-", size="-"):
        if self.path != "/ping":
            print(f'"{self.requestline}" {int(code)}', flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self):
        # The usual one looks the host's name up, which may ask a name server.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


def main(framework, archive):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        unpack(archive)
        program = os.environ.get("SAGEMAKER_PROGRAM", "")
        if program or framework != "sagemaker-xgboost":
            Handler.model = ScriptMode(framework, program or "inference.py")
        else:
            Handler.model = XGBoostAlgorithm()
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        # The last line is what the endpoint's FailureReason quotes.
        print(f"Unable to load model: {next(iter(str(error).splitlines()), type(error).__name__)}", file=sys.stderr, flush=True)
        return 1
    server = Server(("127.0.0.1", 0), Handler)
    os.write(PORT_DESCRIPTOR, f"{server.server_port}\n".encode())
    os.close(PORT_DESCRIPTOR)
    server.serve_forever(poll_interval=3600)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
