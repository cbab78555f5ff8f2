# What R says of one data set: called by mixed_models.py as  Rscript mixed_models.R DESIGN FILE.csv
# Each line printed: name, estimate, standard error, degrees of freedom, p.
options(digits = 15, contrasts = c("contr.treatment", "contr.poly"))
suppressMessages({library(nlme); library(lme4); library(lmerTest); library(pbkrtest); library(emmeans); library(numDeriv)})
call <- commandArgs(trailingOnly = TRUE)
design <- call[1]
d <- read.csv(call[2], stringsAsFactors = FALSE)
levelled <- function(x) factor(x, levels = unique(sort(x)))
for (name in intersect(names(d), c("arm", "visit", "tracer", "drug", "session", "batch"))) d[[name]] <- levelled(d[[name]])
if ("subject" %in% names(d)) d$subject <- factor(d$subject)

emit <- function(name, estimate, se, df, p) cat(sprintf("%s %.14g %.14g %.14g %.14g\n", name, estimate, se, df, p))
table_of <- function(prefix, e) {
  e <- as.data.frame(summary(e, infer = c(FALSE, TRUE), adjust = "none"))
  value <- if ("emmean" %in% names(e)) e$emmean else e$estimate
  for (i in seq_along(value)) emit(paste0(prefix, i), value[i], e$SE[i], e$df[i], e$p.value[i])
}
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, xtol_rel = 0, ftol_abs = 1e-14, ftol_rel = 0, maxeval = 1e5),
                     check.conv.singular = "ignore", calc.derivs = FALSE)
mixed <- function(formula, weights = NULL, ways = c("Satterthwaite", "Kenward-Roger")) {
  d$.w <- if (is.null(weights)) 1 else weights
  m <- suppressWarnings(lmerTest::lmer(formula, data = d, weights = .w, control = tight))
  for (ddf in ways) {
    short <- c(Satterthwaite = "s", "Kenward-Roger" = "k")[[ddf]]
    s <- summary(m, ddf = ddf)$coefficients
    for (i in seq_len(nrow(s))) emit(paste0(short, ":beta", i), s[i, 1], s[i, 2], s[i, 3], s[i, 5])
    a <- anova(m, ddf = ddf, type = 3)
    for (i in seq_len(nrow(a))) emit(paste0(short, ":F", i), a[i, "F value"], a[i, "NumDF"], a[i, "DenDF"], a[i, "Pr(>F)"])
  }
  emit("logLik", as.numeric(logLik(m)), 0, 0, 0)
  v <- as.data.frame(VarCorr(m))$vcov
  for (i in seq_along(v)) emit(paste0("variance", i), v[i], 0, 0, 0)
  m
}

# A second route to MMRM, by dense matrices and numerical derivatives: nothing here is shared with raphe.
dense <- function(X, y, subject, visit, kind, theta) {
  where <- as.integer(visit); T <- max(where)
  V <- function(theta, rows = seq_along(y)) {
    same <- outer(subject[rows], subject[rows], "=="); t <- where[rows]; gap <- abs(outer(t, t, "-"))
    if (kind == "unstructured") {
      S <- matrix(0, T, T); S[upper.tri(S, TRUE)] <- theta; S <- S + t(S) - diag(diag(S)); return(S[t, t, drop = FALSE] * same)
    }
    if (kind == "ar1") return(theta[1] * theta[2]^gap * same)
    if (kind == "cs") return((theta[1] + theta[2] * (gap == 0)) * same)
    s <- sqrt(theta[1:T])[t]
    if (kind == "ar1h") outer(s, s) * theta[T + 1]^gap * same else outer(s, s) * ifelse(gap == 0, 1, theta[T + 1]) * same
  }
  people <- split(seq_along(y), as.integer(factor(subject)))
  sums <- function(theta) {  # log|V|, and [X y]' V^-1 [X y], subject by subject
    logdet <- 0; M <- matrix(0, ncol(X) + 1, ncol(X) + 1)
    for (rows in people) {
      root <- chol(V(theta, rows)); W <- backsolve(root, cbind(X, y)[rows, , drop = FALSE], transpose = TRUE)
      logdet <- logdet + 2 * sum(log(diag(root))); M <- M + crossprod(W)
    }
    list(logdet = logdet, XX = M[-nrow(M), -nrow(M)], Xy = M[-nrow(M), nrow(M)], yy = M[nrow(M), nrow(M)])
  }
  D <- function(theta) {
    s <- tryCatch(sums(theta), error = function(e) NULL)
    if (is.null(s)) return(1e10)
    s$logdet + as.numeric(determinant(s$XX)$modulus) + s$yy - sum(s$Xy * solve(s$XX, s$Xy))
  }
  for (i in 1:3) theta <- nlminb(theta, D, control = list(rel.tol = 1e-14, eval.max = 5000, iter.max = 5000))$par
  scale <- abs(theta)  # numDeriv's step is a share of its argument, which would be lost in rounding for a covariance near 0
  if (kind == "unstructured") { S <- matrix(0, T, T); S[upper.tri(S, TRUE)] <- theta; r <- sqrt(diag(S)); scale <- outer(r, r)[upper.tri(S, TRUE)] }
  near <- function(f, theta) function(u) f(theta + scale * (u - 1))
  one <- rep(1, length(theta))
  curved <- function(theta) hessian(near(D, theta), one, method.args = list(d = 0.01)) / outer(scale, scale)
  for (i in 1:3) theta <- theta - solve(curved(theta), grad(near(D, theta), one, method.args = list(d = 0.01)) / scale)
  Phi_of <- function(theta) solve(sums(theta)$XX)
  Phi <- Phi_of(theta); Vi <- solve(V(theta)); beta <- as.vector(Phi %*% t(X) %*% Vi %*% y)
  C <- 2 * solve(curved(theta))
  P <- Vi - Vi %*% X %*% Phi %*% t(X) %*% Vi
  n <- length(y); k <- length(theta)
  flat <- jacobian(function(x) as.vector(V(x)), theta)
  G <- lapply(seq_len(k), function(i) matrix(flat[, i], n))
  second <- if (kind %in% c("unstructured", "cs")) NULL else jacobian(function(x) as.vector(jacobian(function(z) as.vector(V(z)), x)), theta)
  info <- matrix(0, k, k)
  PG <- lapply(G, function(g) P %*% g)
  for (i in 1:k) for (j in 1:k) info[i, j] <- sum(PG[[i]] * t(PG[[j]])) / 2
  W <- solve(info); S <- matrix(0, ncol(X), ncol(X))
  VX <- Vi %*% X
  Pr <- lapply(G, function(g) -t(VX) %*% g %*% VX)
  GX <- lapply(G, function(g) g %*% VX)
  for (i in 1:k) for (j in 1:k) {
    Q <- t(GX[[i]]) %*% Vi %*% GX[[j]]
    R <- 0
    if (!is.null(second)) R <- t(VX) %*% matrix(second[(i - 1) * n * n + seq_len(n * n), j], n) %*% VX
    S <- S + W[i, j] * (Q - Pr[[i]] %*% Phi %*% Pr[[j]] - R / 4)
  }
  list(theta = theta, scale = scale, beta = beta, Phi = Phi, adjusted = Phi + 2 * Phi %*% S %*% Phi, C = C, W = W, Pr = Pr, Phi_of = Phi_of,
       logLik = -0.5 * (D(theta) + (n - ncol(X)) * log(2 * pi)))
}
tests_of <- function(f, L, prefix) {
  for (i in seq_len(nrow(L))) {
    l <- L[i, ]; est <- sum(l * f$beta); v <- as.numeric(l %*% f$Phi %*% l)
    g <- grad(function(u) as.numeric(l %*% f$Phi_of(f$theta + f$scale * (u - 1)) %*% l), rep(1, length(f$theta))) / f$scale
    df <- 2 * v^2 / as.numeric(g %*% f$C %*% g)
    emit(paste0("s:", prefix, i), est, sqrt(v), df, 2 * pt(-abs(est) / sqrt(v), df))
    q <- sapply(f$Pr, function(p) as.numeric(l %*% f$Phi %*% p %*% f$Phi %*% l))
    df <- 2 * v^2 / as.numeric(q %*% f$W %*% q); se <- sqrt(as.numeric(l %*% f$adjusted %*% l))
    emit(paste0("k:", prefix, i), est, se, df, 2 * pt(-abs(est) / se, df))
  }
}

if (design == "ancova") {
  m <- lm(post ~ baseline + arm + age, data = d)
  s <- summary(m)$coefficients
  for (i in seq_len(nrow(s))) emit(paste0("beta", i), s[i, 1], s[i, 2], m$df.residual, s[i, 4])
  e <- emmeans(m, ~arm)
  table_of("mean", e); table_of("difference", contrast(e, "trt.vs.ctrl"))
  emit("logLik", as.numeric(logLik(m)), 0, 0, 0)
} else if (design == "intercept") {
  m <- mixed(y ~ arm * session + (1 | subject))
  for (mode in c("satterthwaite", "kenward-roger")) {
    short <- substr(mode, 1, 1)
    e <- emmeans(m, ~ arm | session, lmer.df = mode)
    table_of(paste0(short, ":mean"), e); table_of(paste0(short, ":difference"), contrast(e, "revpairwise"))
  }
} else if (design == "weighted") {
  # pbkrtest 0.5.2 forgets the weights: its covariance of the residuals is that of equal ones
  m <- mixed(y ~ arm * session + (1 | subject), mean(d$se^2) / d$se^2, "Satterthwaite")
} else if (design %in% c("within", "nested")) {
  m <- if (design == "within") mixed(y ~ tracer * drug + (1 | subject)) else mixed(y ~ tracer * drug + (1 | subject) + (1 | subject:tracer))
  for (mode in c("satterthwaite", "kenward-roger")) {
    short <- substr(mode, 1, 1)
    e <- emmeans(m, ~ drug * tracer, lmer.df = mode)
    table_of(paste0(short, ":mean"), e)
    table_of(paste0(short, ":interaction"), contrast(e, list(x = c(0, 1, -1, 0, -1, 1))))
  }
} else if (design == "crossed") {
  m <- mixed(y ~ drug + mass + (1 | subject) + (1 | batch))
} else if (startsWith(design, "mmrm-")) {
  kind <- substring(design, 6)
  d$t <- as.integer(d$visit)
  formula <- if ("baseline" %in% names(d)) y ~ baseline + arm * visit else y ~ arm * visit
  X <- model.matrix(formula, d)
  cor <- switch(kind, unstructured = corSymm(form = ~ t | subject), ar1 = corAR1(form = ~ t | subject), ar1h = corAR1(form = ~ t | subject),
                cs = corCompSymm(form = ~ t | subject), csh = corCompSymm(form = ~ t | subject))
  spread <- if (kind %in% c("unstructured", "ar1h", "csh")) varIdent(form = ~ 1 | visit) else NULL
  ctl <- function(opt) glsControl(opt = opt, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-16, maxIter = 1000)
  m <- gls(formula, data = d, correlation = cor, weights = spread, control = ctl("nlminb"))
  again <- try(gls(formula, data = d, correlation = cor, weights = spread, control = ctl("optim")), silent = TRUE)
  if (!inherits(again, "try-error") && logLik(again) > logLik(m)) m <- again
  s <- summary(m)$tTable
  for (i in seq_len(nrow(s))) emit(paste0("gls:beta", i), s[i, 1], s[i, 2], 0, 0)
  emit("gls:logLik", as.numeric(logLik(m)), 0, 0, 0)
  L <- contrast(emmeans(lm(formula, d), ~ arm | visit), "revpairwise")@linfct
  if (is.null(spread)) {  # emmeans 1.8.4 stops on a gls without weights, but its combinations are lm's
    for (i in seq_len(nrow(L))) emit(paste0("gls:difference", i), sum(L[i, ] * coef(m)), sqrt(as.numeric(L[i, ] %*% vcov(m) %*% L[i, ])), 0, 0)
  } else {
    c2 <- as.data.frame(summary(contrast(emmeans(m, ~ arm | visit, mode = "df.error", data = d), "revpairwise"), adjust = "none"))
    for (i in seq_len(nrow(c2))) emit(paste0("gls:difference", i), c2$estimate[i], c2$SE[i], 0, 0)
  }
  T <- nlevels(d$visit); rho <- coef(m$modelStruct$corStruct, unconstrained = FALSE)
  sd <- m$sigma * if (is.null(spread)) rep(1, T) else coef(m$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)[levels(d$visit)]
  R <- diag(T); if (kind == "unstructured") { R[lower.tri(R)] <- rho; R <- R + t(R) - diag(T) }
  S <- outer(sd, sd) * R
  theta <- switch(kind, unstructured = S[upper.tri(S, TRUE)], ar1 = c(sd[1]^2, rho), cs = c(sd[1]^2 * rho, sd[1]^2 * (1 - rho)),
                  ar1h = c(sd^2, rho), csh = c(sd^2, rho))
  f <- dense(X, d$y, d$subject, d$visit, kind, theta)
  emit("logLik", f$logLik, 0, 0, 0)
  tests_of(f, diag(ncol(X)), "beta"); tests_of(f, as.matrix(L), "difference")
  if (kind == "cs") {
    lm4 <- suppressWarnings(lmerTest::lmer(update(formula, . ~ . + (1 | subject)), data = d, control = tight))
    for (ddf in c("Satterthwaite", "Kenward-Roger")) {
      s <- summary(lm4, ddf = ddf)$coefficients
      for (i in seq_len(nrow(s))) emit(paste0(if (ddf == "Satterthwaite") "lmer-s" else "lmer-k", ":beta", i), s[i, 1], s[i, 2], s[i, 3], s[i, 5])
      a <- anova(lm4, ddf = ddf, type = 3)
      for (i in seq_len(nrow(a))) emit(paste0(if (ddf == "Satterthwaite") "lmer-s" else "lmer-k", ":F", i), a[i, "F value"], a[i, "NumDF"], a[i, "DenDF"], a[i, "Pr(>F)"])
    }
  }
}
