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
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "PyPDF2": "pypdf2",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "clip": "openai-clip",
    "community": "python-louvain",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google.cloud": "google-cloud-storage",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google.protobuf": "protobuf",
    "igraph": "python-igraph",
    "imblearn": "imbalanced-learn",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "osgeo": "gdal",
    "pkg_resources": "setuptools",
    "pl_bolts": "lightning-bolts",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pythoncom": "pywin32",
    "pytorch_lightning": "pytorch-lightning",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
    "sentence_transformers": "sentence-transformers",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skopt": "scikit-optimize",
    "snappy": "python-snappy",
    "socks": "pysocks",
    "surprise": "scikit-surprise",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "torch_geometric": "torch-geometric",
    "umap": "umap-learn",
    "usb": "pyusb",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "wx": "wxpython",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""What brings a module whose package is called otherwise."""

SAME_NAMES = frozenset(
    """
    accelerate aiofiles aiohttp albumentations altair annoy anthropic anyio apex ax beartype
    bitsandbytes black bokeh boto3 botorch captum cartopy catboost causalml chex cmdstanpy
    colorama colorcet contextily cupy cvxopt cvxpy cycler cython d2l dash dask datasets
    datashader deap deepspeed dgl diffrax diffusers dill dlib docker dowhy duckdb econml einops
    einx elasticsearch emoji ephem evaluate fairscale fastai fastapi fastcore fasttext filelock
    fiona fire flake8 flask flax folium fsspec gdown gensim geopandas geopy ggplot gpytorch
    gradio graphviz great_tables gym gymnasium h5py haiku hdbscan hmmlearn holoviews httpx
    huggingface_hub hvplot hydra imageio imageio_ffmpeg imgaug imutils ipdb ipyleaflet ipympl
    ipywidgets isort jax jaxlib jaxtyping jieba joblib jupyter jupyterlab jupyterthemes kaggle
    kagglehub kaleido keras keras_tuner kornia langchain langchain_community langchain_core
    langchain_openai langdetect librosa lifelines lightgbm lightning lime line_profiler
    linearmodels llama_index llvmlite lmdb loguru lpips lxml mammoth markdown matplotlib
    mediapipe memory_profiler mesa missingno mlflow mlxtend monai moviepy mpld3 mpmath
    multiprocess nbformat neptune networkx nevergrad nltk noisereduce numba numexpr numpy
    numpyro ogb omegaconf onnx onnxruntime open3d open_clip openai openpyxl opt_einsum optax
    optuna orjson osmnx ot pandas pandas_datareader pandas_profiling pandasql panel papermill
    pathos patsy peft pendulum pettingzoo pexpect pgmpy pingouin plotly plotnine pmdarima polars
    pooch prefect prettytable progressbar prophet psutil pulp py3Dmol pyarrow pybullet pycaret
    pycocotools pydantic pydot pydotplus pygame pyglet pygments pygsheets pyinstrument pymc
    pymc3 pymongo pymysql pyodbc pyperclip pyproj pyro pyspark pystan pytest pyttsx3 pytz
    pyvista pywt qiskit rasterio ray rdkit redis regex requests rich rouge_score sacrebleu
    scanpy scienceplots scipy seaborn selenium sentencepiece setuptools shap shapely simpy six
    skmultilearn skorch snntorch sounddevice soundfile spacy sqlalchemy stable_baselines3
    statsmodels streamlit sympy tables tabulate tensorboard tensorboardX tensorflow tensorly
    textblob textstat thinc thop tiktoken timm tokenizers toml toolz torch torchaudio torchdata
    torchdiffeq torchinfo torchmetrics torchsummary torchtext torchtyping torchview torchvision
    torchviz tornado tqdm trafilatura transformers treelib triton trl tslearn tweepy typeguard
    typer ucimlrepo ultralytics unidecode unsloth vaderSentiment visdom vllm wandb watermark
    weasyprint websocket widgetsnbextension wikipedia wordcloud xarray xformers xgboost xlrd
    xlsxwriter xlwt yellowbrick yfinance zarr
    """.split()  # noqa: SIM905 (a list of words)
)
"""Modules whose package has the same name, with a hyphen for each underscore."""

COMMON_MODULES = ("pandas", "tqdm", "seaborn", "plotly", "ipywidgets")
"""What most notebooks of the field import; the extra `notebooks` brings it."""
TYPING_ERROR_SIMILARITY = 0.8


def find_package(module: str, *, optional: Collection[str] = ()) -> str:
    """Return what to install for a module, '' for one of Python's own or that nobody knows."""
    if module in OTHER_NAMES:
        return OTHER_NAMES[module]
    known = module in SAME_NAMES or module in optional
    return module.replace("_", "-").lower() if known else ""


def is_known(module: str, *, optional: Collection[str] = ()) -> bool:
    """Tell whether it is a package's or Python's own, on some system at least."""
    return bool(find_package(module, optional=optional)) or module in sys.stdlib_module_names


def suggest_module(module: str, *, installed: Collection[str]) -> str:
    """Return the module that may have been meant by one that nobody knows, or ''."""
    candidates = sorted({*installed, *OTHER_NAMES, *SAME_NAMES, *sys.stdlib_module_names})
    public = [name for name in candidates if not name.startswith("_")]
    close = get_close_matches(module, public, n=1, cutoff=TYPING_ERROR_SIMILARITY)
    return close[0] if close and len(module) > 3 else ""  # noqa: PLR2004 (too short to tell)
