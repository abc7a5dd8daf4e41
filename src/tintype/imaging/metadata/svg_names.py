"""Names of SVG 1.1 and 2 that affect rendering; those of CSS properties are also attributes."""

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"


def _words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


ELEMENTS = _words(
    """
    a altGlyph altGlyphDef altGlyphItem animate animateColor animateMotion animateTransform circle
    clipPath color-profile cursor defs ellipse feBlend feColorMatrix feComponentTransfer feComposite
    feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood feFuncA
    feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode feMorphology feOffset fePointLight
    feSpecularLighting feSpotLight feTile feTurbulence filter font font-face font-face-format
    font-face-name font-face-src font-face-uri g glyph glyphRef hatch hatchpath hkern image line
    linearGradient marker mask mesh meshgradient meshpatch meshrow missing-glyph mpath path pattern
    polygon polyline radialGradient rect set solidcolor stop style svg switch symbol text textPath tref
    tspan use view vkern
    """
)
"""All but `title`, `desc`, `metadata`, scripts, and what browsers don't draw."""
TEXTS = frozenset(("text", "style"))
"""Elements with text, in themselves or in others within them."""

PROPERTIES = _words(
    """
    alignment-baseline baseline-shift clip clip-path clip-rule color color-interpolation
    color-interpolation-filters color-profile color-rendering cursor d direction display dominant-baseline
    enable-background fill fill-opacity fill-rule filter flood-color flood-opacity font font-family
    font-feature-settings font-kerning font-size font-size-adjust font-stretch font-style font-variant
    font-variant-caps font-variant-east-asian font-variant-ligatures font-variant-numeric
    font-variant-position font-variation-settings font-weight glyph-orientation-horizontal
    glyph-orientation-vertical height image-rendering inline-size isolation kerning letter-spacing
    lighting-color line-height marker marker-end marker-mid marker-start mask mask-type mix-blend-mode
    opacity overflow paint-order pointer-events shape-inside shape-margin shape-padding shape-rendering
    shape-subtract solid-color solid-opacity stop-color stop-opacity stroke stroke-dasharray
    stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width
    text-align text-align-last text-anchor text-decoration text-decoration-color text-decoration-fill
    text-decoration-line text-decoration-stroke text-decoration-style text-indent text-orientation
    text-overflow text-rendering text-transform transform transform-box transform-origin unicode-bidi
    vector-effect visibility white-space width word-spacing writing-mode x y cx cy r rx ry background
    background-color animation animation-delay animation-direction animation-duration animation-fill-mode
    animation-iteration-count animation-name animation-play-state animation-timing-function offset
    offset-anchor offset-distance offset-path offset-rotate transition will-change rotate scale translate
    """
)

ATTRIBUTES = PROPERTIES | _words(
    """
    accent-height accumulate additive alphabetic amplitude arabic-form ascent attributeName attributeType
    azimuth baseFrequency bbox begin bias by calcMode cap-height class clipPathUnits crossorigin descent
    diffuseConstant divisor dur dx dy edgeMode elevation end exponent filterRes filterUnits format from fr
    fx fy g1 g2 glyph-name glyphRef gradientTransform gradientUnits hanging horiz-adv-x horiz-origin-x
    horiz-origin-y href id ideographic in in2 intercept k k1 k2 k3 k4 kernelMatrix kernelUnitLength
    keyPoints keySplines keyTimes lang lengthAdjust limitingConeAngle local markerHeight markerUnits
    markerWidth maskContentUnits maskUnits mathematical max media method min mode name numOctaves offset
    operator order orient orientation origin overline-position overline-thickness panose-1 path pathLength
    patternContentUnits patternTransform patternUnits pitch points pointsAtX pointsAtY pointsAtZ
    preserveAlpha preserveAspectRatio primitiveUnits radius refX refY rendering-intent repeatCount
    repeatDur requiredExtensions requiredFeatures restart result rotate scale seed side slope spacing
    specularConstant specularExponent spreadMethod startOffset stdDeviation stemh stemv stitchTiles
    strikethrough-position strikethrough-thickness string style surfaceScale systemLanguage tableValues
    target targetX targetY textLength to type u1 u2 underline-position underline-thickness unicode
    unicode-range units-per-em v-alphabetic v-hanging v-ideographic v-mathematical values vert-adv-y
    vert-origin-x vert-origin-y viewBox viewTarget widths x-height x1 x2 xChannelSelector y1 y2
    yChannelSelector z zoomAndPan
    """
)
"""All without a namespace that affect rendering."""
QUALIFIED = {(XLINK, "href"): "xlink:href", (XML, "space"): "xml:space", (XML, "lang"): "xml:lang"}
"""Those of other namespaces, as they are written."""
