"""methodology"""

import streamlit as st

st.title("methodology")
