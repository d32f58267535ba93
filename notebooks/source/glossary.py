# %% [markdown]
# # Glossary
#
# Every term of the course in one sentence, with its symbol and the notebook that introduces it. The notebooks link to it where they
# first use a term. (Where JupyterLab has only opened this page at its top, click the link once more: it then goes to the term.) All terms stand in
# JupyterLab's table of contents too, the third button at the left edge.
#
# [To the map of the course](00_start_here.ipynb#The-course)
#
# ## A
#
# ### Adaptive instance norm
# It gives every channel of a layer a new mean and a new standard deviation over its pixels, which a linear map computes from the code $w$. (AdaIN; $\mathrm{AdaIN}(x, w)$; notebook [13](13_style_alae.ipynb))
#
# ### Adversarial autoencoder
# An autoencoder whose codes a discriminator pulls onto a prior of our choice, so that draws of the prior can be decoded. (AAE; notebook [00](00_start_here.ipynb))
#
# ### Adversarial game
# Played by two networks: the discriminator learns to tell two kinds of inputs apart, and another network learns to make the one kind so like the other that it cannot. (minimax game; $\min_G \max_D V(D, G)$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Adversarial latent autoencoder
# A GAN whose two networks are each cut in two, with one latent space $w$ in both middles, whose distribution is learnt and not chosen. (ALAE; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Aggregated posterior
# The distribution of the codes of all images together, when it is forgotten which code came from which image. ($q(z)$; notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### As restated
# It marks settings and milestones of the paper that we know second-hand, as later papers and code repeat them. (notebook [08](08_semi_supervised.ipynb))
#
# ### Autoencoder
# An encoder and a decoder that are trained together to give back what they were given. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Averaged weights
# The means of a network's weights over its last few hundred updates; they serve for samples and codes, while training goes on with the last ones. (notebook [13](13_style_alae.ipynb))
#
# ## B
#
# ### Batch normalisation
# It brings every output of a layer to mean 0 and standard deviation 1 over the mini-batch, before a learnt scale and shift. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Bernoulli likelihood
# It takes what is decoded of a pixel for the probability of ink there, so that reconstruction costs the cross-entropy of the pixels. ($p(x \mid z)$; notebook [03](03_aae_versus_vae.ipynb))
#
# ### Bidirectional GAN
# It has a generator and an encoder, and a discriminator that looks at pairs of an image and a code. (BiGAN; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ## C
#
# ### Categorical prior
# It draws one-hot vectors of $K$ classes, all equally often. (Cat; $\mathrm{Cat}(K)$; notebook [09](09_clustering.ipynb))
#
# ### Cluster head
# The place that stands for a cluster: what is decoded of its number alone, with the style at 0. ($W_C$; notebook [10](10_dimensionality_reduction.ipynb))
#
# ### Code
# The short list of numbers by which an encoder describes an image. ($z$; notebook [00](00_start_here.ipynb))
#
# ### Consistency
# It asks that the answer for an image stay the same when the image is shifted, turned, scaled or sheared a little. (notebook [09](09_clustering.ipynb))
#
# ### Content
# What an image shows, such as which digit, as against how it shows it. ($y$; notebook [07](07_supervised.ipynb))
#
# ### Coverage
# The share of the prior that has a code nearby: 1 minus the share of holes. (notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ### Cross-entropy
# The mean of minus the logarithm of the probability that a model gave to what came; of two distributions, $-\mathbb{E}_q \log p$. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## D
#
# ### Decoder
# The network that makes an image of a code. ($p(x \mid z)$; notebook [00](00_start_here.ipynb))
#
# ### Denoising autoencoder
# It sees a spoilt image and must give back the clean one. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Deterministic encoder
# It gives every image one code, without noise. ($z = f(x)$; notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ### Discriminator
# The network that says how probable it is that its input is of the first of two kinds: real and not made, or drawn from the prior and not a code. ($D$; notebook [00](00_start_here.ipynb))
#
# ### Disentangled
# A latent space in which what varies in images varies along straight lines, measured here by how well a linear classifier does beside nearest neighbours. (notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ## E
#
# ### Encoder
# The network that makes a code, or a distribution of codes, of an image. ($q(z \mid x)$; notebook [00](00_start_here.ipynb))
#
# ### Entropy
# The mean of minus the log-density of a distribution: how widely it is spread, in nats. ($H$; notebook [03](03_aae_versus_vae.ipynb))
#
# ### Epoch
# One pass over all training images; with labels on few of them, over the images without labels. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Equalised learning rate
# It lets learnt numbers start at a standard deviation of 1 and scales them at every use, so that Adam's steps mean the same in every layer. (notebook [13](13_style_alae.ipynb))
#
# ### Evidence lower bound
# A bound below $\log p(x)$; the gap is how far $q(z \mid x)$ is from the true posterior. (ELBO; $\mathbb{E}_q[\log p(x \mid z)] - KL(q(z \mid x) \Vert p(z))$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## F
#
# ### Feature-FID
# The Fréchet distance of the Gaussians that fit the features of real and of made images, as a small classifier trained here sees them; 0 is best. (FID; notebook [06](06_likelihood.ipynb))
#
# ### Floor
# What a measure gives where nothing is wrong, such as the distance of as many draws of the prior from the prior itself. (notebook [02](02_adversarial_autoencoders.ipynb))
#
# ## G
#
# ### Gaussian encoder
# It gives every image a mean and a standard deviation, and draws the code from that Gaussian. ($z = \mu(x) + \sigma(x)\,\varepsilon$; notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ### Generative adversarial network
# A generator and a discriminator that play the adversarial game on images. (GAN; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Generative moment matching network
# A generator that is trained on the MMD between its images and real ones, without a discriminator. (GMMN; notebook [04](04_gans_and_moment_matching.ipynb))
#
# ### Generator
# The player of the adversarial game that makes the fakes: a network from noise to images in a GAN, the encoder in an adversarial autoencoder. ($G$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Growing
# It begins with pictures of few pixels and adds a block of layers for the next size, which fades in while $\alpha$ rises from 0 to 1. ($\alpha$; notebook [13](13_style_alae.ipynb))
#
# ## H
#
# ### Hold-out images
# Images that a system was not trained on. (notebook [03](03_aae_versus_vae.ipynb))
#
# ### Holes
# Places of the prior that no code is near, where the decoder was never trained; draws of the prior itself leave 0.8 % <!-- 0.8: two to the power of −7 --> of it in holes. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## I
#
# ### Instance norm
# It takes the mean and the standard deviation out of each channel of each image. (notebook [13](13_style_alae.ipynb))
#
# ## J
#
# ### Jensen-Shannon divergence
# How far two densities are apart, 0 if they are equal and $\ln 2$ at most; the best discriminator's loss is $2 \ln 2 - 2\,JSD$. (JSD; $JSD(p \Vert q)$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## K
#
# ### k-means
# It puts every point into the cluster whose mean is nearest, and every mean amid its points, in turns. (notebook [09](09_clustering.ipynb))
#
# ### Kernel
# A number that says how near two points are to each other; its width says what counts as near. ($k(a, b)$; notebook [04](04_gans_and_moment_matching.ipynb))
#
# ### KL divergence
# The mean under $q$ of $\log q - \log p$: 0 only if both are equal, and not the same in both directions. (Kullback-Leibler; $KL(q \Vert p)$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Kolmogorov-Smirnov distance
# The largest gap between two cumulative distributions, 0 if they are equal and 1 at most. (notebook [02](02_adversarial_autoencoders.ipynb))
#
# ## L
#
# ### Latent space
# The space that codes lie in. (notebook [00](00_start_here.ipynb))
#
# ### Lazy penalty
# Taken at every eighth update only, eight times as strong. (notebook [13](13_style_alae.ipynb))
#
# ### Linear probe
# A linear classifier that is trained on codes to find out what they hold. (notebook [07](07_supervised.ipynb))
#
# ### Logit
# A probability as a number without bounds, its *log-odds* $\log q - \log(1 - q)$; the sigmoid brings it back, and 0 stands for one half; of several classes, numbers whose softmax the probabilities are, which are not each class's log-odds. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## M
#
# ### Majority rule
# It names a cluster by the commonest label among the validation images in it. (notebook [09](09_clustering.ipynb))
#
# ### Mapping network
# It makes the code $w$ of a draw $z$, and so learns how codes are distributed. ($F$; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Maximum mean discrepancy
# It compares how near points of two clouds are to their own kind and to the other kind, by a kernel; 0 where the clouds are equal. (MMD; $\mathrm{MMD}^2$; notebook [04](04_gans_and_moment_matching.ipynb))
#
# ### Mean image
# The average of the training images; answering with it always is the worst that a reconstruction should do. (notebook [00](00_start_here.ipynb))
#
# ### Mini-batch
# The group of images that one update looks at. (notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Mixture of Gaussians
# Drawn from by taking one of several Gaussians by chance, then a point of it; ours are ten petals of a flower. (mixture of ten Gaussians, mixture; notebook [03](03_aae_versus_vae.ipynb))
#
# ### Mode collapse
# A generator's way to please the discriminator with a part of the data only. (dropped modes; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Mutual information
# How much a code tells of its image, in nats. (information; $I(x; z)$; notebook [03](03_aae_versus_vae.ipynb))
#
# ## N
#
# ### Nats
# The unit of entropies and log-likelihoods with natural logarithms; 0.69 nats are one bit. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Nearest neighbours
# Of a code, the codes closest to it; how often five of them tell its class says how well classes are kept apart. (nearest neighbour; notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Non-saturating loss
# It gives the generator a slope also where the discriminator is sure, as $\log(1 - D)$ does not. ($-\log D(G(z))$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## O
#
# ### One-hot
# A vector with a 1 at the place of the class and 0 elsewhere. ($y$; notebook [05](05_labels_in_the_prior.ipynb))
#
# ### Optimal transport
# It asks for the cheapest way to carry one heap of probability over to another; the plan says how much goes from where to where. (transport plan; $W_c(p_d, p_G)$; notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ## P
#
# ### Parzen window
# A density made of samples: a Gaussian of width $\sigma$ round each, all added up. (Parzen; $\hat p(x), \sigma$; notebook [06](06_likelihood.ipynb))
#
# ### Percentile grid
# It decodes points that each stand for the same share of the prior. (percentiles; notebook [03](03_aae_versus_vae.ipynb))
#
# ### Perceptual path length
# The mean squared speed at which pictures change along a way from one code to another, in features of a network. (PPL; $\mathrm{PPL}$; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Phase
# A loss together with the networks that it may change; a system lists its phases, and `fit` runs them in order on each mini-batch. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Posterior
# The distribution of codes for one image: the true one by Bayes' rule, or the encoder's answer. ($q(z \mid x)$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Precision and recall
# The share of made images that lie among real ones, and the share of real ones that lie among the made. (precision, recall; notebook [06](06_likelihood.ipynb))
#
# ### Prior
# The distribution that codes shall have, from which new ones are drawn. ($p(z)$; notebook [00](00_start_here.ipynb))
#
# ### Profile
# One of the budgets `smoke`, `quick` and `paper`, which the environment variable `AAE_PROFILE` chooses; long runs of experiments have a fourth, `long`. (notebook [00](00_start_here.ipynb))
#
# ## R
#
# ### R1
# It punishes a discriminator for being steep where the data lie. ($\frac{\gamma}{2} \lVert \nabla_x R(x) \rVert^2$; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Reached
# Said of a printed number where the mean over our seeds is better, or within the ± that is printed with it. (notebook [14](14_results.ipynb))
#
# ### Reciprocity
# It asks that the encoder find in a made image the code that it was made of. ($\lVert w - E(G(w)) \rVert^2$; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Reconstruction loss
# Half the squared error of what comes back, summed over the pixels, averaged over images. ($\tfrac12 \lVert \hat x - x \rVert^2$; notebook [00](00_start_here.ipynb))
#
# ### Record
# The file that a long run leaves: its settings, seed, code, machine and numbers. (notebook [14](14_results.ipynb))
#
# ### Regularization
# The part of training that says where codes shall lie. (notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Reparameterisation
# It writes a draw as a function of what shall be learnt and of noise that has no parameters, so that gradients pass. ($z = \mu + \sigma \varepsilon$; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Rule of the paper
# It names a cluster by the label of the one validation image that is surest of it. (the paper's rule; notebook [09](09_clustering.ipynb))
#
# ## S
#
# ### Semi-supervised
# Learning from many images of which few have labels. (notebook [08](08_semi_supervised.ipynb))
#
# ### Sharpness
# The variance of what a filter for edges answers; blur lowers it, and noise raises it. (notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ### Slant
# How far a digit leans to the right, in pixels per row. (notebook [05](05_labels_in_the_prior.ipynb))
#
# ### Sliced Wasserstein distance
# It looks at two clouds along 100 <!-- 100: aae_lib/evaluation/latent.py --> random directions, sorts both, and says how far the points of one would have to move to become the other's, as a root mean square. (sliced Wasserstein; notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Softplus
# The function that makes of minus a logit the cross-entropy with target 1, and of the logit itself that with target 0. ($\mathrm{sp}(t) = \log(1 + e^t)$; notebook [12](12_adversarial_latent_autoencoders.ipynb))
#
# ### Standard error
# The standard deviation of a mean over $N$ test images; it knows nothing of other trainings. ($\mathrm{std} / \sqrt N$; notebook [06](06_likelihood.ipynb))
#
# ### Style
# How an image shows what it shows: slant, thickness, width; in a style-based generator, the mean and standard deviation that each channel of a layer is given. ($z$; notebook [07](07_supervised.ipynb))
#
# ### Style mixing
# It takes the styles of some layers from one code and those of the others from another. (mixing; notebook [13](13_style_alae.ipynb))
#
# ### Swiss roll
# A prior along a spiral in the plane; it can be drawn from and has no density. (notebook [05](05_labels_in_the_prior.ipynb))
#
# ### System
# A model of this course: networks, and the phases in which they are trained. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## T
#
# ### t-SNE
# It draws codes in the plane so that near ones stay near; distances and sizes of groups mean little in it. (notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Threshold of heads
# The distance from which on two cluster heads are left alone. (threshold; $\eta$; notebook [10](10_dimensionality_reduction.ipynb))
#
# ## U
#
# ### Unbiased estimate
# Right on average; of a square such as MMD² it may then be negative. (unbiased; notebook [11](11_wasserstein_autoencoders.ipynb))
#
# ### Universal approximator
# An encoder that gets noise as a further input and can bend it into a cloud of any shape. ($z = f(x, \eta)$; notebook [02](02_adversarial_autoencoders.ipynb))
#
# ### Update
# One step of every phase, on one mini-batch. (notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ## V
#
# ### Validation images
# Those by which choices are made; test images are looked at last, to report. (validation; notebook [00](00_start_here.ipynb))
#
# ### Variational autoencoder
# An autoencoder that is trained on the ELBO: each image's codes are pulled to the prior, one by one. (VAE; notebook [01](01_autoencoders_vaes_gans.ipynb))
#
# ### Virtual adversarial training
# It asks that a classifier's answer not change nearby, in the direction in which it changes most. (VAT; notebook [08](08_semi_supervised.ipynb))
#
# ## W
#
# ### Wasserstein autoencoder
# It minimises a reconstruction cost plus a penalty on the distance of $q(z)$ from $p(z)$, by the MMD (WAE-MMD) or by a discriminator (WAE-GAN). (WAE, WAE-MMD, WAE-GAN; notebook [11](11_wasserstein_autoencoders.ipynb))
