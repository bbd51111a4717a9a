"""Knows by what name a module is installed, for modules that notebooks commonly import.

It tells a package that is missing here from a student's own file that was not submitted, and from
a typing error. A rubric's `optional_imports` adds to it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from difflib import get_close_matches

OTHER_NAMES = {
    "Augmentor": "augmentor",
    "Bio": "biopython",
    "Box2D": "box2d-py",
    "Crypto": "pycryptodome",
    "FrEIA": "freia",
    "IPython": "ipython",
    "Levenshtein": "levenshtein",
    "MDAnalysis": "mdanalysis",
    "MeCab": "mecab-python3",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "PyEMD": "emd-signal",
    "PyPDF2": "pypdf2",
    "SALib": "salib",
    "SimpleITK": "simpleitk",
    "absl": "absl-py",
    "ants": "antspyx",
    "attr": "attrs",
    "autotime": "ipython-autotime",
    "awq": "autoawq",
    "bayes_opt": "bayesian-optimization",
    "bs4": "beautifulsoup4",
    "camelot": "camelot-py",
    "cleanfid": "clean-fid",
    "clip": "openai-clip",
    "community": "python-louvain",
    "cpuinfo": "py-cpuinfo",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "doctr": "python-doctr",
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
    "googleapiclient": "google-api-python-client",
    "gtda": "giotto-tda",
    "ignite": "pytorch-ignite",
    "igraph": "python-igraph",
    "imblearn": "imbalanced-learn",
    "jwt": "pyjwt",
    "labelImg": "labelimg",
    "llama_cpp": "llama-cpp-python",
    "lucent": "torch-lucent",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "newspaper": "newspaper3k",
    "openslide": "openslide-python",
    "osgeo": "gdal",
    "otter": "otter-grader",
    "paddle": "paddlepaddle",
    "parselmouth": "praat-parselmouth",
    "patoolib": "patool",
    "pdfminer": "pdfminer.six",
    "pkg_resources": "setuptools",
    "pl_bolts": "lightning-bolts",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "pyannote": "pyannote.audio",
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
    "sklearn_extra": "scikit-learn-extra",
    "skopt": "scikit-optimize",
    "slugify": "python-slugify",
    "snappy": "python-snappy",
    "socks": "pysocks",
    "speech_recognition": "speechrecognition",
    "spellchecker": "pyspellchecker",
    "surprise": "scikit-surprise",
    "tabula": "tabula-py",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "tf_explain": "tf-explain",
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
    accelerate addict adjustText aeon aim aiofiles aiohttp albucore albumentations ale_py alibi
    alibi_detect alive_progress allennlp altair anndata annoy anthropic antropy anyio apex arviz
    astropy astroquery attrdict audiomentations audioread auto_gptq autogluon autograd autokeras
    autoviz ax babypandas bambi batchgenerators beartype bert_score bertopic better_exceptions
    biosppy biotite birdseye bitarray bitsandbytes black blackjax bokeh boto3 botorch bqplot
    braindecode brax brisque brokenaxes byol_pytorch cachetools cairosvg calflops calmap
    camel_tools captum carbontracker cartopy casadi catalyst catboost category_encoders causalml
    cdlib cellpose cellrank celluloid cerberus certifi charset_normalizer chemprop chex chromadb
    cleanlab clearml click cloudpickle cmasher cmcrameri cmdstanpy cmocean codecarbon cohere
    colorama colorcet colorlog colormath comet_ml configargparse conllu contextily contractions
    coverage crepe cryptography ctransformers cudf cufflinks cuml cupy cvxopt cvxpy cvxpylayers
    cvzone cycler cython czifile d2l dabest dabl dacite darts dash dash_bootstrap_components
    dash_cytoscape dask dataframe_image datamol datascience datasets datashader datasketch
    dateparser datumaro deap decord deep_translator deepcell deepchem deepdiff deepface
    deepspeed detectron2 dgl diagrams diffrax diffusers dill dipy distinctipy distrax
    distributed dlib dm_control dm_env docker docopt docplex docx2txt dowhy drawsvg dtale
    dtreeviz duckdb dvc dvclive dynesty e3nn easydict easyocr econml einops einops_exts einx
    elasticsearch eli5 ema_pytorch emcee emoji enlighten ephem equinox escnn evalml evaluate
    executing face_recognition facenet_pytorch fairlearn fairscale fairseq faker fancyimpute
    fastai fastapi fastavro fastcore faster_whisper fastparquet fastprogress fasttext
    feature_engine featuretools feedparser fiftyone filelock filterpy fiona fire flair flake8
    flaml flash_attn flashtext flask flask_ngrok flax flwr folium fsspec ftfy fugashi
    func_timeout functorch fuzzywuzzy fvcore gdown geemap gensim geomloss geoopt geopandas
    geoplot geopy ggplot gliner gluonts googletrans gpustat GPUtil gpytorch gradescope_utils
    gradio graph_tool graphviz great_tables groq grpc gseapy gspread gtts gudhi gurobipy gym
    gymnasium gymnasium_robotics h2o h5py haiku hdbscan hdf5plugin healpy heartpy hiddenlayer
    highspy highway_env hmmlearn hnswlib holidays holoviews horovod httpx huggingface_hub
    humanfriendly humanize hvplot hydra hydra_zen hyperopt hypothesis icecream imagehash imageio
    imageio_ffmpeg imgaug iminuit imodels import_ipynb imutils inflect info_nce_pytorch
    insightface intel_extension_for_pytorch ipdb ipycanvas ipydatagrid ipyevents ipyfilechooser
    ipykernel ipyleaflet ipympl ipyparallel ipytest ipython_genutils ipytree ipyvolume
    ipywidgets isort itables itk janome jax jaxlib jaxtyping jieba joblib joypy jraph
    jsonargparse jsonlines jsonpickle jsonschema julius jupyter jupyter_black jupyter_client
    jupyter_contrib_nbextensions jupyter_core jupyter_dash jupyter_server jupyterlab
    jupyterthemes jupytext k3d kaggle kaggle_environments kagglehub kaleido karateclub keras
    keras_core keras_cv keras_nlp keras_ocr keras_tuner keybert kmapper kmodes kneed konlpy
    kornia kornia_rs ktrain kymatio lab_black labelme lancedb langchain langchain_community
    langchain_core langchain_openai langdetect langgraph langid langsmith language_tool_python
    lazypredict leafmap learn2learn leidenalg lets_plot libpysal librosa lifelines lightgbm
    lightkurve lightly lightning lightning_fabric lightning_utilities lime line_profiler
    linear_operator linearmodels lion_pytorch litellm livelossplot llama_index llvmlite lmdb
    lmfit loguru loralib lpips lxml madgrad madmom mamba_ssm mammoth manim mapclassify mapie
    markdown marshmallow matplotlib matplotlib_inline matplotlib_scalebar matplotlib_venn mayavi
    mdtraj mediapipe medmnist memory_profiler mesa miceforest minari minigrid minisom missingno
    missingpy mistralai ml_collections mlflow mlforecast mlxtend mmcv mmdet mmengine mmpose
    mmpretrain mne mne_connectivity modin momepy monai more_itertools moviepy mpi4py mplcursors
    mplcyberpunk mpld3 mplfinance mpmath msgpack mtcnn mujoco mujoco_py multiprocess munch
    music21 mypy napari natsort nb_black nbclient nbconvert nbdime nbformat nbgrader nbimporter
    neptune nequip nest_asyncio netgraph netron networkx neuralforecast neuralprophet neurokit2
    nevergrad nflows nglview nibabel nilearn nipype nlpaug nltk nnAudio nnunet node2vec
    noisereduce nolds normflows nptyping num2words numba numexpr numpy numpyro nvitop nvtx octis
    ogb ollama omegaconf onnx onnx2pytorch onnx2torch onnxoptimizer onnxruntime onnxscript
    onnxsim opacus open3d open_clip openai opendatasets openmm openpyxl openTSNE opt_einsum
    optax optbinning optimum optuna orbax orjson ortools osmnx osqp ot pacmap paddleocr
    palettable panda_gym pandarallel pandas pandas_datareader pandas_profiling pandas_ta
    pandasql pandera panel papermill param parmed pathos patsy pdfplumber pdpbox peft
    pendulum pennylane persim pettingzoo pexpect pgmpy phate phik pingouin pint piq pivottablejs
    plotext plotly plotnine pmdarima polars poliastro pooch powerlaw praw prefect pretty_errors
    pretty_midi prettytable procgen prodigyopt progressbar prometheus_client prophet proplot
    psutil psycopg ptflops ptitprince pudb pulp py3Dmol py7zr pyarrow pyaudio pybullet pycaret
    pycocoevalcap pycocotools pycountry pycuda pydantic pydantic_settings pydeck pydeseq2
    pydicom pydot pydotplus pydrive pydrive2 pydub pyecharts pyedflib pyfiglet pyg_lib pygad
    pygal pygame pyglet pygments pygraphviz pygsheets pygwalker pyinstrument pyiqa pykeen
    pykeops pylatex pyLDAvis pymanopt pymatgen pymc pymc3 pymilvus pymongo pymoo pympler pymysql
    pyngrok pyod pyodbc pyomo pypdf pyperclip pyproj pyrallis pyreadr pyreadstat pyro pysal
    pysam pyscf pysnooper pyspark pystan pystoi pytesseract pytest pythainlp pytorch_fid
    pytorch_forecasting pytorch_msssim pytorch_ood pytorch_optimizer pytorch_tabnet
    pytorch_warmup pytorch_wavelets pyts pyttsx3 pytz pyvips pyvis pyvista pywaffle pyworld pywt
    qdrant_client qiskit qpsolvers quantstats qutip rake_nltk rapidfuzz rarfile rasterio
    rasterstats ray rdkit rebound redis regex rembg reportlab requests resampy rich rioxarray
    ripser roboflow rouge_score rpy2 ruptures sacrebleu sacremoses safetensors sb3_contrib
    scalene scanpy schemdraw scienceplots scipy scrapy scvelo sdv seaborn segment_anything
    selenium selfies sentencepiece seqeval setfit setuptools shap shapely shapiq sidetable
    simpletransformers simpy siuba six skimpy skl2onnx sklearn_pandas skmultilearn skops skorch
    sktime snakeviz snntorch snoop sortedcontainers sounddevice soundfile spacy
    spacy_transformers speechbrain spektral sqlalchemy sqlmodel squarify stable_baselines3
    stackprinter stanza stardist statannot statannotations statsforecast statsmodels
    stellargraph streamlit structlog stumpy sumy sunpy supersuit supervision svgwrite sweetviz
    swifter sympy symspellpy tables tabulate tenacity tensorboard tensorboard_logger
    tensorboardX tensordict tensorflow tensorflow_addons tensorflow_io tensorflow_text tensorly
    tensorrt termcolor termplotlib textacy textblob textdistance textstat tf2onnx tf_keras
    tflearn theano thefuzz thinc thop tianshou tifffile tiktoken tikzplotlib timm tokenizers
    toml tomotopy toolz top2vec torch torch2trt torch_audiomentations torch_cluster
    torch_directml torch_ema torch_fidelity torch_lr_finder torch_optimizer torch_pruning
    torch_scatter torch_sparse torch_tensorrt torch_xla torchani torchao torchaudio torchcam
    torchcde torchcrepe torchdata torchdiffeq torchdyn torchensemble torcheval torchextractor
    torchinfo torchio torchlens torchlibrosa torchmeta torchmetrics torchode torchrl torchsde
    torchsnapshot torchstat torchsummary torchsummaryX torchtext torchtune torchtyping torchview
    torchvision torchviz torchxrayvision tornado tpot tqdm tqdm_joblib trackpy trafilatura
    transformers treelib trimap trimesh triton trl tsfel tsfresh tslearn ttach tweepy txtai
    typeguard typer typing_extensions tyro tzlocal ucimlrepo ujson ultralytics ultraplot
    uncertainties underthesea unidecode unsloth unstructured upsetplot urllib3 vaderSentiment
    vaex varname vedo visdom vispy vit_pytorch vizdoom viztracer vllm voila voluptuous vtk wandb
    watermark weasyprint webcolors webdataset webrtcvad websocket wfdb wget widgetsnbextension
    wikipedia wordcloud wordfreq wordninja wurlitzer x_transformers xarray xformers xgboost xlrd
    xlsxwriter xlwt xmltodict yacs yake yapf yaspin ydata_profiling yellowbrick yfinance yolov5
    zarr zennit zstandard zuko
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
