"""The handout of HW 5 as students receive it, cell by cell: every notebook here starts from it."""
# ruff: noqa: E501, INP001 -- the handout's own lines are long; this folder is scripts, no package

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandoutCell:
    """One cell of the handout; a blank is a line of it that holds `#FILLME`."""

    id: str
    kind: str
    source: str


BLANK = "#FILLME"

BLANKS = (
    "C1",
    "B1",
    "conv",
    "fc",
    "initial_embeddings",
    "pos_pair",
    "neg_pair1",
    "neg_pair2",
)
"""The blanks by name, in the order in which they stand in the handout."""

TITLE = """\
# HW 5

## Total points: 80"""

NAMES = "**Name(s) and EID(s):**"

RULES = """\
If you prefer, you can work in groups of two. **Please note that only one student per team needs to submit the assignment but make sure to include both students' names and UT EIDs.**

For any question that requires a handwritten solution, you may upload scanned images of your solution in the notebook or attach them to the assignment . You may write your solution using markdown as well.

Please make sure your code runs and the graphs and figures are displayed in your notebook and PDF before submitting."""

Q1 = """\
## Q1. Convolutional Neural Networks (20 points)

Answer the following questions briefly (1 paragraph should suffice):"""

Q1_1 = """\
### Part 1 (6 points)

Why are skip connections useful in CNN architectures like ResNet? (*Hint: think about gradient propagation in very deep networks*)

**Answer**"""

Q1_2 = """\
### Part 2 (7 points)

How does batch normalization improve training in CNNs, and why is it generally used after a convolutional layer but before the activation function?

**Answer**"""

Q1_3 = """\
### Part 3 (7 points)

Explain how the concept of translation invariance is achieved in CNNs and why it is an important property for visual recognition tasks.

**Answer**"""

Q2 = "## Q2. Contrastive Learning (30 points)"

Q2_1 = """\
### Part 1 (5 points)

Consider the example we saw in the class w.r.t Contrastive Learning (CL). We had two Cat images (say C_1, C_2) and one Bicycle image(B_1), which we used for CL. However, if we only had one Cat image(C_1) and one Bicycle image(B_1), can we still do Contrastive Learning? If no, why?

If yes, how? (ie, what will be my reference sample, positive sample, and negative sample?)

**Answer**"""

Q2_2 = """\
### Part 2 (5 points)

We need labelled data for contrastive learning. True or False? Can you think of a real world example where contrastive learning is a better choice compared to the conventional training approach? (Caution: If you use ChatGPT to answer this question you might end up giving same example as other students)

**Answer**"""

Q2_3 = """\
### Part 3 (20 points)

Let us now mimic contrastive learning on a toy example to get a feeling of how it helps learn better representations for the data samples (After all, the entire Deep Learning is, in some way, learning to represent the data accurately)

We will pick the same example again. Consider three 32x32 images C_1, C_2, B_1 . We use random values to fill the three images.

What's more important is to ensure that C1 is more similar to C2 than B1, for the algorithm to work!"""

Q2_3_0 = "**Part 3.0 (3 points)** Please initialize C1 and B1. C2 has been filled for you, which you can see, is just a slightly noisy version of C1."

PIP = """\
# Install required libraries (if not already installed)
!pip install torch torchvision
!pip install matplotlib
!pip install scikit-learn"""

DATA = """\
import torch
import torch.nn as nn
import torch.nn.functional as F
import matplotlib.pyplot as plt
from sklearn.manifold import TSNE
import numpy as np
import random
import torchvision.transforms.functional as TF

# Set random seed for reproducibility
random_seed = 16

random.seed(random_seed)
torch.manual_seed(random_seed)
torch.cuda.manual_seed(random_seed)
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.benchmark = False
np.random.seed(random_seed)

# Define sample images for cats (C1, C2) and bicycle (B1)
C1 = #FILLME  # Cat image 1, initialize with random values (use torch randn)
C2 = C1 + 0.5 * torch.randn(3, 32, 32)  # Cat image 2, same as C1 with slight noise
B1 = #FILLME  # Bicycle image, initialize with random values (use torch randn)"""

Q2_3_1 = """\
We have provided you with an Encoder (SimpleEncoder) that generates vector representation for an input image. Note how the encoder uses Convolution to generate vector representation of an image.

**Part 3.1 (2 points)** Please complete the forward pass of the Encoder module"""

ENCODER = """\
class SimpleEncoder(nn.Module):
    def __init__(self):
        super(SimpleEncoder, self).__init__()
        self.conv = nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)
        self.fc = nn.Linear(16 * 16 * 16, 128)

    def forward(self, x):
        # Pass x through conv layer
        x = #FILLME  # Apply the convolutional layer
        x = x.view(x.size(0), -1)
        # Pass x through the Fully Connected Layer
        x = #FILLME  # Apply the fully connected layer
        return F.normalize(x, p=2, dim=1)

# Function for contrastive loss as in previous example
def contrastive_loss(anchor, positive, negatives, temperature=0.5):
    pos_sim = F.cosine_similarity(anchor.unsqueeze(0), positive.unsqueeze(0))
    pos_loss = -torch.log(torch.exp(pos_sim / temperature))
    neg_loss = sum(-torch.log(1 - torch.exp(F.cosine_similarity(anchor.unsqueeze(0), neg.unsqueeze(0)) / temperature))
                   for neg in negatives)
    return pos_loss + neg_loss"""

Q2_3_2 = "**Part 3.2 (5 points)** Get embeddings for the images. Build the positive and negative pairs. Code for doing contrastive learning on these pairs is already given to you."

TRAIN = """\
# Instantiate encoder and generate initial embeddings
encoder = SimpleEncoder()
images = torch.stack([C1, C2, B1])  # Stack images into a batch

# Get initial_embeddings for the images using encoder
initial_embeddings = #FILLME  # Detach to avoid tracking gradients

# Train encoder to minimize contrastive loss (one simple update step as an example)
optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)

# Run few passes of training (we don't want it to overfit given a single sample)
for _ in range(1):
    embeddings = encoder(images)
    # Build positive and negative pairs
    pos_pair = #FILLME  # Positive pair (C1, C2)
    neg_pair1 = #FILLME  # Negative pair (C1, B1)
    neg_pair2 = #FILLME  # Negative pair (C2, B1)

    # Contrastive loss as before
    loss1 = contrastive_loss(pos_pair[0], pos_pair[1], [neg_pair1[1]])
    loss2 = contrastive_loss(pos_pair[1], pos_pair[0], [neg_pair2[1]])
    total_loss = (loss1 + loss2) / 2

    optimizer.zero_grad()
    total_loss.backward()
    optimizer.step()

encoder.eval()
with torch.no_grad():
    trained_embeddings = encoder(images).detach()"""

ABOUT_SIMILARITIES = """\
### Cosine Similarity between embeddings

The cosine similarity between embeddings would change once you run the CL algorithm. Run the below cell to observe the cosine similarities and answer the question that follows."""

SIMILARITIES = """\
from torch.nn.functional import cosine_similarity

# Function to compute and print cosine similarities
def print_cosine_similarities(embeddings, stage=""):
    # Calculate cosine similarities
    sim_C1_C2 = cosine_similarity(embeddings[0].unsqueeze(0), embeddings[1].unsqueeze(0)).item()
    sim_C1_B1 = cosine_similarity(embeddings[0].unsqueeze(0), embeddings[2].unsqueeze(0)).item()
    sim_C2_B1 = cosine_similarity(embeddings[1].unsqueeze(0), embeddings[2].unsqueeze(0)).item()

    # Print similarities
    print(f"Cosine Similarities {stage}:")
    print(f"Similarity between C1 and C2 (positive pair): {sim_C1_C2:.4f}")
    print(f"Similarity between C1 and B1 (negative pair): {sim_C1_B1:.4f}")
    print(f"Similarity between C2 and B1 (negative pair): {sim_C2_B1:.4f}\\n")

# Cosine similarities before training
print_cosine_similarities(initial_embeddings, stage="Before Contrastive Learning")

# Cosine similarities after training
print_cosine_similarities(trained_embeddings, stage="After Contrastive Learning")"""

Q2_3_3 = "**Part 3.3(5 points)** Comment on the cosine similarities before and after the contrastive learning."

ABOUT_CHART = """\
### Plotting the embeddings

To visualize the relative change in position before and after CL, we have provided code that uses PCA to plot the embeddings on a 2-D space. Run and generate the plot and then answer the question that follows."""

CHART = """\
from sklearn.decomposition import PCA
# Function to plot embeddings using PCA
def plot_embeddings(initial_embeddings, trained_embeddings, labels):
    # Combine embeddings before and after CL
    embeddings_combined = torch.cat([initial_embeddings, trained_embeddings], dim=0).cpu().numpy()

    # Apply PCA
    pca = PCA(n_components=2)
    embeddings_2d = pca.fit_transform(embeddings_combined)

    # Define markers and colors for before and after
    markers = ['o', 's']  # Circle for 'Before', Square for 'After'
    colors = ['red', 'red', 'blue']

    plt.figure(figsize=(8, 6))
    # Plot before contrastive learning (initial embeddings)
    for i in range(3):
        plt.scatter(embeddings_2d[i, 0], embeddings_2d[i, 1], label=f'{labels[i]} Before', color=colors[i], marker=markers[0], s=100)

    # Plot after contrastive learning (trained embeddings)
    for i in range(3, 6):
        plt.scatter(embeddings_2d[i, 0], embeddings_2d[i, 1], label=f'{labels[i-3]} After', color=colors[i-3], marker=markers[1], s=100)

    plt.title("Embedding Visualization: Before and After Contrastive Learning")
    plt.legend()
    plt.show()

# Labels for the images
labels = ["Cat C1", "Cat C2", "Bicycle B1"]

# Plot combined before and after embeddings
plot_embeddings(initial_embeddings, trained_embeddings, labels)"""

Q2_3_4 = "**Part 3.4 (5 points)** Comment on the above chart. Do you see the points moving around? Do they make sense to you?"

HANDOUT = (
    HandoutCell("title", "markdown", TITLE),
    HandoutCell("names", "markdown", NAMES),
    HandoutCell("rules", "markdown", RULES),
    HandoutCell("q1", "markdown", Q1),
    HandoutCell("q1-1", "markdown", Q1_1),
    HandoutCell("q1-2", "markdown", Q1_2),
    HandoutCell("q1-3", "markdown", Q1_3),
    HandoutCell("q2", "markdown", Q2),
    HandoutCell("q2-1", "markdown", Q2_1),
    HandoutCell("q2-2", "markdown", Q2_2),
    HandoutCell("q2-3", "markdown", Q2_3),
    HandoutCell("q2-3-0", "markdown", Q2_3_0),
    HandoutCell("pip", "code", PIP),
    HandoutCell("data", "code", DATA),
    HandoutCell("q2-3-1", "markdown", Q2_3_1),
    HandoutCell("encoder", "code", ENCODER),
    HandoutCell("q2-3-2", "markdown", Q2_3_2),
    HandoutCell("train", "code", TRAIN),
    HandoutCell("about-similarities", "markdown", ABOUT_SIMILARITIES),
    HandoutCell("similarities", "code", SIMILARITIES),
    HandoutCell("q2-3-3", "markdown", Q2_3_3),
    HandoutCell("about-chart", "markdown", ABOUT_CHART),
    HandoutCell("chart", "code", CHART),
    HandoutCell("q2-3-4", "markdown", Q2_3_4),
)
