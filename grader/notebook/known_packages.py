"""Knows by what name a module is installed, for modules that notebooks commonly import.

It tells a package that is missing here from a student's own file that was not submitted, and from
a typing error. A rubric's `optional_imports` adds to it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from difflib import get_close_matches

OTHER_NAMES = {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "IPython": "ipython",
    "Levenshtein": "levenshtein",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "PyPDF2": "pypdf2",
    "SALib": "salib",
    "absl": "absl-py",
    "attr": "attrs",
    "bayes_opt": "bayesian-optimization",
    "bs4": "beautifulsoup4",
    "clip": "openai-clip",
    "community": "python-louvain",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "ffmpeg": "ffmpeg-python",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google.cloud": "google-cloud-storage",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.protobuf": "protobuf",
    "igraph": "python-igraph",
    "imblearn": "imbalanced-learn",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "osgeo": "gdal",
    "otter": "otter-grader",
    "pkg_resources": "setuptools",
    "pl_bolts": "lightning-bolts",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pynvml": "nvidia-ml-py",
    "pythoncom": "pywin32",
    "pytorch_grad_cam": "grad-cam",
    "pytorch_lightning": "pytorch-lightning",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "scikitplot": "scikit-plot",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "sentence_transformers": "sentence-transformers",
    "serial": "pyserial",
    "skbio": "scikit-bio",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "slugify": "python-slugify",
    "snappy": "python-snappy",
    "socks": "pysocks",
    "surprise": "scikit-surprise",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "torch_geometric": "torch-geometric",
    "umap": "umap-learn",
    "usb": "pyusb",
    "whisper": "openai-whisper",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "wx": "wxpython",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""What brings a module whose package is called otherwise."""

SAME_NAMES = frozenset(
    """
    accelerate adjustText aim aiofiles aiohttp albumentations altair annoy anthropic anyio apex
    arviz astropy autograd autokeras ax beartype bertopic bitarray bitsandbytes black bokeh
    boto3 botorch braindecode cachetools calmap captum cartopy catboost causalml celluloid
    certifi charset_normalizer chex chromadb clearml click cloudpickle cmasher cmcrameri
    cmdstanpy cmocean colorama colorcet colorlog comet_ml configargparse contextily coverage
    cryptography cudf cufflinks cuml cupy cvxopt cvxpy cvzone cycler cython d2l dacite dash dask
    dataframe_image datasets datashader datasketch dateparser deap decord deepchem deepdiff
    deepface deepspeed dgl diffrax diffusers dill distinctipy distributed dlib docker docopt
    dowhy dtreeviz duckdb easydict easyocr econml einops einops_exts einx elasticsearch eli5
    ema_pytorch emcee emoji ephem evaluate face_recognition fairlearn fairscale faker fastai
    fastapi fastcore fastprogress fasttext featuretools filelock fiona fire flair flake8
    flashtext flask flax folium fsspec ftfy func_timeout functorch fuzzywuzzy fvcore gdown
    geemap gensim geopandas geopy ggplot gluonts gpustat GPUtil gpytorch gradio graphviz
    great_tables grpc gspread gym gymnasium h5py haiku hdbscan hdf5plugin hiddenlayer hmmlearn
    hnswlib holidays holoviews httpx huggingface_hub humanfriendly humanize hvplot hydra
    hyperopt hypothesis icecream imageio imageio_ffmpeg imgaug imutils inflect ipdb ipycanvas
    ipyleaflet ipympl ipyparallel ipytest ipyvolume ipywidgets isort itables jax jaxlib
    jaxtyping jieba joblib joypy jsonlines jsonschema jupyter jupyterlab jupyterthemes jupytext
    kaggle kagglehub kaleido keras keras_core keras_cv keras_nlp keras_tuner kmodes kneed kornia
    langchain langchain_community langchain_core langchain_openai langdetect langid lazypredict
    learn2learn leidenalg librosa lifelines lightgbm lightly lightning lime line_profiler
    linearmodels lion_pytorch livelossplot llama_index llvmlite lmdb lmfit loguru loralib lpips
    lxml mamba_ssm mammoth manim markdown marshmallow matplotlib matplotlib_venn mediapipe
    lab_black jupyter_black nb_black
    medmnist memory_profiler mesa minisom missingno mlflow mlxtend mne monai more_itertools
    moviepy mplcursors mplcyberpunk mpld3 mplfinance mpmath msgpack multiprocess munch mypy
    natsort nbformat nbgrader neptune nest_asyncio netron networkx neuralprophet nevergrad
    nibabel nilearn nlpaug nltk noisereduce num2words numba numexpr numpy numpyro ogb omegaconf
    onnx onnxoptimizer onnxruntime onnxscript onnxsim open3d open_clip openai openpyxl openTSNE
    opt_einsum optax optuna orbax orjson ortools osmnx ot pacmap palettable pandas
    pandas_datareader pandas_profiling pandas_ta pandasql pandera panel papermill param pathos
    patsy peft pendulum persim pettingzoo pexpect pgmpy phate phik pingouin piq plotly plotnine
    pmdarima polars pooch powerlaw prefect prettytable progressbar prometheus_client prophet
    psutil psycopg ptflops ptitprince pudb pulp py3Dmol pyarrow pybullet pycaret pycocotools
    pycountry pydantic pydantic_settings pydicom pydot pydotplus pydub pygame pyglet pygments
    pygsheets pyinstrument pykeen pymatgen pymc pymc3 pymongo pymysql pyod pyodbc pyperclip
    pyproj pyreadstat pyro pyspark pystan pytesseract pytest pytorch_forecasting pytorch_msssim
    pytorch_ood pytorch_tabnet pytorch_warmup pyttsx3 pytz pyvis pyvista pywt qiskit quantstats
    rapidfuzz rasterio ray rdkit redis regex reportlab requests rich roboflow rouge_score
    sacrebleu safetensors scanpy scienceplots scipy sdv seaborn selenium sentencepiece setfit
    setuptools shap shapely simpletransformers simpy six skmultilearn skorch sktime snntorch
    sortedcontainers sounddevice soundfile spacy spacy_transformers speechbrain sqlalchemy
    sqlmodel squarify stable_baselines3 stanza statsmodels streamlit stumpy supervision sweetviz
    swifter sympy tables tabulate tenacity tensorboard tensorboard_logger tensorboardX
    tensordict tensorflow tensorflow_addons tensorflow_text tensorly tensorrt termcolor textblob
    textdistance textstat tf_keras tflearn theano thefuzz thinc thop tifffile tiktoken
    tikzplotlib timm tokenizers toml toolz torch torch_cluster torch_fidelity torch_lr_finder
    torch_optimizer torch_pruning torch_scatter torch_sparse torch_xla torchaudio torchcam
    torchdata torchdiffeq torcheval torchextractor torchinfo torchio torchmeta torchmetrics
    torchrl torchsde torchsummary torchtext torchtyping torchview torchvision torchviz
    torchxrayvision tornado tqdm trafilatura transformers treelib trimap trimesh triton trl
    tslearn ttach tweepy typeguard typer typing_extensions tyro tzlocal ucimlrepo ujson
    ultralytics uncertainties unidecode unsloth upsetplot urllib3 vaderSentiment visdom
    vit_pytorch vllm vtk wandb watermark weasyprint webcolors webdataset websocket wget
    widgetsnbextension wikipedia wordcloud wordfreq wurlitzer x_transformers xarray xformers
    xgboost xlrd xlsxwriter xlwt xmltodict yacs yapf yellowbrick yfinance yolov5 zarr zstandard
    """.split()  # noqa: SIM905 (a list of words)
)
"""Modules whose package has the same name, with a hyphen for each underscore."""

_MODULES = {name.replace("_", "-").lower(): name for name in SAME_NAMES}
_MODULES |= {package: module for module, package in OTHER_NAMES.items()}

COMMON_MODULES = ("pandas", "tqdm", "seaborn", "plotly", "ipywidgets")
"""What most notebooks of the field import; the extra `notebooks` brings it."""
TYPING_ERROR_SIMILARITY = 0.8


def find_package(module: str, *, optional: Collection[str] = ()) -> str:
    """Return what to install for a module, '' for one of Python's own or that nobody knows."""
    if module in OTHER_NAMES:
        return OTHER_NAMES[module]
    known = module in SAME_NAMES or module in optional
    return module.replace("_", "-").lower() if known else ""


def find_module(package: str) -> str:
    """Return the module that a package brings."""
    folded = package.lower().replace("_", "-")
    return _MODULES.get(folded, package.replace("-", "_"))


def is_known(module: str, *, optional: Collection[str] = ()) -> bool:
    """Tell whether it is a package's or Python's own, on some system at least."""
    return bool(find_package(module, optional=optional)) or module in sys.stdlib_module_names


def suggest_module(module: str, *, installed: Collection[str]) -> str:
    """Return the module that may have been meant by one that nobody knows, or ''."""
    candidates = sorted({*installed, *OTHER_NAMES, *SAME_NAMES, *sys.stdlib_module_names})
    public = [name for name in candidates if not name.startswith("_")]
    close = get_close_matches(module, public, n=1, cutoff=TYPING_ERROR_SIMILARITY)
    return close[0] if close and len(module) > 3 else ""  # noqa: PLR2004 (too short to tell)


def explain_unknown(module: str, *, installed: Collection[str]) -> str:
    """Say what may be the matter with a module that nobody knows."""
    meant = suggest_module(module, installed=installed)
    return f"did you mean {meant}?" if meant else f"no file {module}.py came with it"
