"""Codestreams that other programs made of one small image, as base 85.

`predictor 1` to `predictor 7` are lossless JPEG of 12 bits and `lossy` is JPEG of 12 bits with
loss, by libjpeg-turbo 3; `htj2k` is High-Throughput JPEG 2000 by OpenJPH (imagecodecs 2026.3.6).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

import numpy as np

ROWS, COLUMNS = 8, 10
_ROW, _COLUMN = np.mgrid[:ROWS, :COLUMNS]
IMAGE = ((_COLUMN * 401 + _ROW * _ROW * 97 + _COLUMN * _ROW * 13) % 4096).astype(np.uint16)
"""(row, column) of 12 bits."""

LOSSY = np.array(
    [
        [1, 408, 796, 1195, 1612, 2006, 2403, 2804, 3210, 3600],
        [93, 505, 929, 1341, 1752, 2157, 2593, 2999, 3414, 3820],
        [399, 801, 1254, 1661, 2089, 2529, 2947, 3372, 3803, 135],
        [875, 1317, 1742, 2208, 2634, 3083, 3498, 3959, 289, 735],
        [1544, 2011, 2459, 2912, 3360, 3811, 179, 628, 1086, 1553],
        [2418, 2903, 3345, 3815, 201, 656, 1126, 1588, 2053, 2515],
        [3504, 3955, 359, 837, 1308, 1794, 2264, 2752, 3232, 3707],
        [654, 1159, 1634, 2137, 2623, 3113, 3616, 0, 500, 982],
    ]
)
"""What libjpeg-turbo decodes of `lossy`."""

_ENCODED = {
    "predictor 1": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q7ytnQ0RaI30000000000000RL3I_}S+5iXv0RRC"
        b"20H6JlWLXwPkz`pGMUm_*^E}Tp%=0|YGtBZv)wOL~R@Jp_TUQNJ%G@^%!*JX;4a7F>#;M#_6~%E}SaBRz6~)"
        b"_2r0F_P=(<jmr0F_dg>L*i&ilUayYBnG@5$KqJ&$A9_C1jGy^m-A*#"
    ),
    "predictor 2": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q82|tS0RaI30000000000000RJ3=0Sc|Jncu0RaF"
        b"4005u-$e9x&WK4;XGA2aG`wzE!-$Zn;QFVV_c28>(GGI?iQCBR5#J?E0WzQ+{KkOL8EKJ61ff8daH9J~13ui"
        b"XlbVcbH3x~Mlw7avxyo7U+)V;gnK8x>YSE0m+k|^lEqh^mfLun_a1f7z6>JO-<q&k;scPc!plCb{(|Je"
    ),
    "predictor 3": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q7ytkR0RaF20000000000000UL3<(GS+5iXv0RRI"
        b"40H6N=WOhenc1L7(M`U(KWP1+(0FYq}kue#P0Va~sGwB&;7TI(cseu@Iju}j5yUKH?RCecxdMCVnar?*!RP1"
        b"bH%ORO2$_XnZxsw^1hSJlvq%~Gn8C#`$Y)fUEM#8rROf4}S#tuGmTb3Nk=P5fT*qfE!Zvc2}#-}En&U6p|*#"
    ),
    "predictor 4": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q8UO(S0RaI40RR9100000000CD3=Ikg3;)^x2mt{"
        b"A1ONcf{{Uocjghi8M#$M4BV>NU*0rr`TG~d|wXJJgfHLy6t!rA`0i6KfRPAe8+yRZ~2DjTwTHFDR=mxc|{R-"
        b"QFF}(oRwXJSW#`FVP*0%s-TmRV"
    ),
    "predictor 5": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q82|wR0RaI40000000000000OK2?_@b|Jncu0RaF"
        b"7005u=0AzMYWOhenc1L7(M`V44tk!Ean$2djS*@gP#^Z6g+-^4;kZtcPjmG0~xZG|yIH=?5ozm%ax?M1II%w"
        b"&1_R{cpJRt9QQQ+`+JU)eQXgyxkdp(}dXS3Q)$L$}l*X#BB2jlho|Je"
    ),
    "predictor 6": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q8UO(R0|5a60000000000000RG3JeGf2LIXs2mt{"
        b"A1^@uh{>ZW{iz3LfEQ=z@%s+i1Npg&_FHEys<dO9M08;g5S#{4}_BUo=(s@t>84X0yq=6^GS)|g`>k7`dE{o"
        b"n64;Xzh%&pp7Cn3+nspGe&iRpXaZ$i5f;wbVj)NNziA=xU*7FWsH<p-)N(l(d0^{Fvcd02T{{{a8l"
    ),
    "predictor 7": (
        b"|JeWF01!$>Nk#wx0RR9200961|HA+a3;+lK3IPET0RO}Q7ytnQ0RaI30000000000000RJ3=0SU+5iXv0RRU"
        b"80MGu&vMh@t$g(VpBFOs+42Gg;(m<1?siJg|t;?eJz_AQ-D$U`cd0kg=;(A{9+5E%>K{ZcDw1-Jlp-T9dIWf"
        b"~!INME9Rb5!(x8-|SwU=5|vCyu=F^KaRvHK>n%QLf^K*`z7%HFO5;qEr&G0gLz=S~0F"
    ),
    "lossy": (
        b"|JeWF01!$>Nk#wx0RR9200961|JwjV00smF1_cBL1_cHO2L=cV5DE$j2?`Vr4-60&6c`v66c!d59VH(c8zUS"
        b"R79cDjBPJ&)Dk&KsEif%8FeNA{DF49#3k(1V015#C5di<h02KfM0RR910000000000000083ID_Z9uNQl1Of"
        b"vA0000000000000F81O^8J2muKS3;)^x2mt{A06zdH`5)`+t$!f8u%q24tmNI}?3EP^#>cbdR0WVW5vr9GRA"
        b"U(F^5>^J4E?j%;sX(k7B)kNv4*mg8N7^;9CJASc;w+aR$sbbaF@YXw)JK77xTHUa5?(<%H!0<VJ*@Z(JJV3{"
        b"JC`6I1$8<d2@>l9+J2-Y@uSLh-QOyvUc_3j#Y4{|Je"
    ),
    "htj2k": (
        b"|4;u>04YEK0000A0000800000000000000A000080000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{"
        b"@0smY86Cj9?kdTm&kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00000(EtJelfVEb_3#"
        b"A;bN~Rr022V@{sRYe0KfnfKmZfK022UO{sISd02bH!1A%k^zWW0QbO68r6)*q=d;kGdAAzS+OaP*k0H@=s$8"
        b"ZLi>L>tGfxngjKkAWB<L&{5v;e>WE!Y4B(?9?%fd6?9vZ?eR|9Bt&alijzfBpyYgy(~>3pnJ1SOCG`;9xKWO"
        b"EB;R&w>$5CC(EJCfI>ASm-Pmp7IAg3CuT?03o^n|7ZVx@Be@I|9<~}{XhPUk0-8Se8X7)|Je"
    ),
}

CODESTREAMS = {name: base64.b85decode(text) for name, text in _ENCODED.items()}

END = b"\xfe\xff\xdd\xe0" + bytes(4)
"""The delimiter of a sequence."""


def encapsulated(
    fragments: Sequence[bytes], *, offsets: Sequence[int] = (), end: bytes = END
) -> bytes:
    """Pixel data of a table of offsets and fragments (PS3.5, A.4)."""
    table = struct.pack(f"<{len(offsets)}I", *offsets)
    return b"".join(map(_item, [table, *fragments])) + end


def offsets(frames: Sequence[Sequence[bytes]]) -> list[int]:
    """Where each frame begins behind the table, a frame being its fragments."""
    sizes = [sum(len(_item(fragment)) for fragment in frame) for frame in frames]
    return [sum(sizes[:place]) for place in range(len(sizes))]


def _item(content: bytes) -> bytes:
    padded = content + bytes(len(content) % 2)
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(padded)) + padded
